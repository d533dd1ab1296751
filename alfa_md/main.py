"""Entry point of all commands `python -m alfa_md.X`: parses flags, runs `main`, reports bad input in one line."""

import errno
import os
import sys
from collections.abc import Callable, Sequence

from absl import app, flags

from alfa_md.data.paths import CACHE_VARIABLE
from alfa_md.errors import UserError
from alfa_md.system.allocator import keep_freed_pages
from alfa_md.system.flag_values import LARGEST, check_flags

BAD_INPUT = 2
LONGEST = 900  # characters of a line of error, such as that of a very long value
INTERRUPTED = 130  # the exit code of shells for Ctrl-C
DISK_FULL = "free some space and run the command again; what the file held before is kept"
NOT_A_FOLDER = "a file is where a folder should be; choose another place"
NO_PERMISSION = "give it other permissions or choose another folder"
REMEDIES = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), DISK_FULL)
REMEDIES |= dict.fromkeys((errno.EEXIST, errno.ENOTDIR), NOT_A_FOLDER)
REMEDIES |= dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), NO_PERMISSION)


def run(main: Callable[[list[str]], int | None]) -> None:
    """Parses the flags, calls `main(argv)` and exits with the code it returns.

    A `UserError`, a missing gin binding, an unknown flag, a bad flag value or a file that cannot be read or written
    becomes `error: <one line>` on stderr and exit code 2.
    """

    def guarded(argv: list[str]) -> int | None:
        if "cache_dir" in flags.FLAGS and flags.FLAGS.cache_dir:
            os.environ[CACHE_VARIABLE] = flags.FLAGS.cache_dir  # inherited by subprocesses
        try:
            return main(argv)
        except UserError as error:
            return _report(error)
        except OSError as error:
            original = _original(error)
            if original.filename is None:
                raise
            return _report(_file_error(original))
        except RuntimeError as error:
            if str(error).startswith("Could not determine home"):  # of a path with ~
                return _report(UserError("~ in a path: no such user or no home folder; write the path in full"))
            if not str(error).startswith("Required bindings"):  # gin's message for a missing argument
                raise
            return _report(error)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return INTERRUPTED

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


def _original(error: OSError) -> OSError:
    """The error as raised: gin re-raises a copy without errno and file name."""
    while error.errno is None and isinstance(error.__context__, OSError):
        error = error.__context__
    return error


def _file_error(error: OSError) -> UserError:
    remedy = REMEDIES.get(error.errno)
    return UserError(f"{error.filename}: {error.strerror or error}" + (f"; {remedy}" if remedy else ""))


def _parse_flags(argv: Sequence[str]) -> list[str]:
    try:
        words = flags.FLAGS(argv)
        check_flags()
        return words
    except (flags.Error, UserError) as error:
        sys.exit(_report(error))


def _report(error: Exception) -> int:
    line = str(error).splitlines()[0]  # gin appends lines to errors raised through it
    print(
        "error:", line if len(line) <= LONGEST else f"{line[: LONGEST // 2]}...{line[-LONGEST // 2 :]}", file=sys.stderr
    )
    return BAD_INPUT
