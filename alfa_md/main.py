"""What every entry (`python -m alfa_md.X`) shares: parse the flags, call `main`, turn bad input into one line."""

import errno
import os
import sys
from collections.abc import Callable, Sequence

from absl import app, flags

from alfa_md.data.paths import CACHE_VARIABLE
from alfa_md.errors import UserError
from alfa_md.system.allocator import keep_freed_pages

BAD_INPUT = 2
INTERRUPTED = 130  # by which shells know Ctrl-C; training and evaluation save first where they can
FULL = "free some space and run the command again; what the file held before is kept"
IN_THE_WAY = "a file is where a folder should be; choose another place"
CLOSED = "give it other permissions or choose another folder"
REMEDIES = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), FULL)
REMEDIES |= dict.fromkeys((errno.EEXIST, errno.ENOTDIR), IN_THE_WAY)
REMEDIES |= dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), CLOSED)


def run(main: Callable[[list[str]], int | None]) -> None:
    """Call `main(argv)` after flag parsing and exit with the code it returns.

    A `UserError`, a missing binding, an unknown flag, a bad flag value or a file that the system does not let us read
    or write becomes `error: <one line>` on stderr and exit code 2.
    """

    def guarded(argv: list[str]) -> int | None:
        if "cache_dir" in flags.FLAGS and flags.FLAGS.cache_dir:
            os.environ[CACHE_VARIABLE] = flags.FLAGS.cache_dir  # also for processes that are started from here
        try:
            return main(argv)
        except UserError as error:
            return _report(error)
        except OSError as error:
            refused = _original(error)
            if refused.filename is None:
                raise
            return _report(_of_file(refused))
        except RuntimeError as error:
            if not str(error).startswith("Required bindings"):  # gin's words where a configurable lacks an argument
                raise
            return _report(error)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return INTERRUPTED

    keep_freed_pages()
    app.run(guarded, flags_parser=_parse_flags)


def _original(error: OSError) -> OSError:
    """The error as it was raised: what passes through gin is a copy without number and file name."""
    while error.errno is None and isinstance(error.__context__, OSError):
        error = error.__context__
    return error


def _of_file(error: OSError) -> UserError:
    remedy = REMEDIES.get(error.errno)
    return UserError(f"{error.filename}: {error.strerror or error}" + (f"; {remedy}" if remedy else ""))


def _parse_flags(argv: Sequence[str]) -> list[str]:
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        sys.exit(_report(error))


def _report(error: Exception) -> int:
    print("error:", str(error).splitlines()[0], file=sys.stderr)  # gin adds lines of its own to what passes through it
    return BAD_INPUT
