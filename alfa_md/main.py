"""Entry point of all commands `python -m alfa_md.X`: parses flags, runs `main`, reports bad input in one line."""

import errno
import os
import sys
from collections.abc import Callable, Sequence

from absl import app, flags

from alfa_md.data.paths import CACHE_VARIABLE
from alfa_md.errors import UserError
from alfa_md.experiment.gin_parts import missing_binding
from alfa_md.system.allocator import keep_freed_pages
from alfa_md.system.console import ERRORS
from alfa_md.system.exhaustion import describe_exhaustion
from alfa_md.system.flag_values import LARGEST, check_flags
from alfa_md.system.startup import BAD_INPUT, INTERRUPTED, raising_interrupts

LONGEST = 900  # characters of a line of error, such as that of a very long value
DISK_FULL = "free some space and run the command again; what the file held before is kept"
NOT_A_FOLDER = "a file is where a folder should be; choose another place"
NO_PERMISSION = "give it other permissions or choose another folder"
REMEDIES = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), DISK_FULL)
REMEDIES |= dict.fromkeys((errno.EEXIST, errno.ENOTDIR), NOT_A_FOLDER)
REMEDIES |= dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), NO_PERMISSION)


def run(main: Callable[[list[str]], int | None]) -> None:
    """Parses the flags, calls `main(argv)` and exits with the code it returns.

    A `UserError`, a missing gin binding, an unknown flag, a bad flag value, a file that cannot be read or written, or a
    lack of memory, threads or disk space becomes `error: <one line>` on stderr and exit code 2.
    """

    def guarded(argv: list[str]) -> int | None:
        if "cache_dir" in flags.FLAGS and flags.FLAGS.cache_dir:
            os.environ[CACHE_VARIABLE] = flags.FLAGS.cache_dir  # inherited by subprocesses
        try:
            with raising_interrupts():
                return main(argv)
        except KeyboardInterrupt:
            ERRORS.print("interrupted")
            return INTERRUPTED
        except Exception as error:
            line = _line(error)
            if line is None:
                raise
            return _report(line)

    keep_freed_pages()
    app.run(guarded, flags_parser=_parse_flags)


def parse_seeds(seeds: Sequence[str]) -> list[int]:
    """The integers of a --seeds flag, without duplicates. Raises UserError for anything else."""
    if not all(seed.isdecimal() for seed in seeds):
        raise UserError(f"--seeds={','.join(seeds)}: give whole numbers separated by commas, such as 0,1,2")
    for seed in seeds:
        if len(seed) > len(str(LARGEST)) or int(seed) > LARGEST:
            raise UserError(f"--seeds: {seed[:30]} is too large; give at most {LARGEST}")
    return list(dict.fromkeys(map(int, seeds)))


def _line(error: Exception) -> str | None:
    """The line about an error that is no fault of this package; None for any other."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and (original := _original(error)).filename is not None:
        return _file_error(original)
    if isinstance(error, RuntimeError) and str(error).startswith("Required bindings"):  # gin's for a missing argument
        return missing_binding(str(error))
    return describe_exhaustion(error)


def _original(error: OSError) -> OSError:
    """The error as raised: gin re-raises a copy without errno and file name."""
    while error.errno is None and isinstance(error.__context__, OSError):
        error = error.__context__
    return error


def _file_error(error: OSError) -> str:
    remedy = REMEDIES.get(error.errno)
    return f"{error.filename}: {error.strerror or error}" + (f"; {remedy}" if remedy else "")


def _parse_flags(argv: Sequence[str]) -> list[str]:
    for name in flags.FLAGS:  # of a flag that is given twice, absl would take the last; lists of flags are not affected
        flags.FLAGS[name].allow_overwrite = False
    try:
        words = flags.FLAGS(argv)
        check_flags()
        return words
    except flags.IllegalFlagValueError as error:
        repeated = "; give it once" if "already defined as" in str(error) else ""
        sys.exit(_report(f"{error}{repeated}"))
    except (flags.Error, UserError) as error:
        sys.exit(_report(str(error)))
    except SystemExit:  # absl's, with code 1, after it has printed what --help asks for
        sys.exit(0)


def _report(line: str) -> int:
    line = line.splitlines()[0]  # gin appends lines to errors raised through it
    ERRORS.print("error:", line if len(line) <= LONGEST else f"{line[: LONGEST // 2]}...{line[-LONGEST // 2 :]}")
    return BAD_INPUT
