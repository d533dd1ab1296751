"""Advisory file locks between processes; the operating system releases them when a process ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from alfa_md.errors import UserError


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Waits for and holds an exclusive lock on `path` (created if missing), so that long work is not done twice.

    Does not block on a file system without locks: the caller must be correct without the lock.
    """
    with _opened(path) as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def lock_or_refuse(path: Path, refusal: str) -> Iterator[None]:
    """Holds an exclusive lock on `path`. Raises UserError(refusal) if another process holds it."""
    with _opened(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(refusal) from error
        except OSError:
            pass  # a file system without locks
        yield


def is_abandoned(path: Path) -> bool:
    """True if no process holds the lock on `path` or the file is missing; False where this cannot be found out."""
    try:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except OSError:  # held, or a file system without locks
        return False
    return True


def _opened(path: Path) -> BinaryIO:
    """The lock file, created if missing; a link in its place is not followed."""
    return open(path, "ab", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, 0o666))
