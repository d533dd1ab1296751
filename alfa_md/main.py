"""What every entry (`python -m alfa_md.X`) shares: parse the flags, call `main`, turn bad input into one line."""

import sys
from collections.abc import Callable, Sequence

from absl import app, flags

from alfa_md.allocator import keep_freed_pages
from alfa_md.errors import UserError

BAD_INPUT = 2


def run(main: Callable[[list[str]], int | None]) -> None:
    """Call `main(argv)` after flag parsing and exit with the code it returns.

    A `UserError`, a missing binding, an unknown flag or a bad flag value becomes `error: <one line>` on stderr and
    exit code 2.
    """

    def guarded(argv: list[str]) -> int | None:
        try:
            return main(argv)
        except UserError as error:
            return _report(error)
        except RuntimeError as error:
            if not str(error).startswith("Required bindings"):  # gin's words where a configurable lacks an argument
                raise
            return _report(error)

    keep_freed_pages()
    app.run(guarded, flags_parser=_parse_flags)


def _parse_flags(argv: Sequence[str]) -> list[str]:
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        sys.exit(_report(error))


def _report(error: Exception) -> int:
    print("error:", str(error).splitlines()[0], file=sys.stderr)  # gin adds lines of its own to what passes through it
    return BAD_INPUT
