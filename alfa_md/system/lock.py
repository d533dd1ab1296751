"""Advisory locks between processes; the system drops them when a process ends, however that happens."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from alfa_md.errors import UserError


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock of `path`, made if need be, so that several at once do not all do the same long work.

    On a file system without locks there is no waiting: the caller must be correct without it.
    """
    with path.open("a") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def sole(path: Path, refusal: str) -> Iterator[None]:
    """Hold the lock of `path`, or raise UserError(refusal) where another process holds it."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(refusal) from error
        except OSError:
            pass  # a file system without locks
        yield
