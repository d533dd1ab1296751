"""Advisory file locks between processes; the operating system releases them when a process ends."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from errno import ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP
from pathlib import Path

from filelock import FileLock, Timeout

from alfa_md.errors import UserError

NO_LOCKS = {ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP}  # errors of file systems without locks, such as some of NFS


@contextmanager
def exclusive_lock(path: Path, blocking: bool = True) -> Iterator[None]:
    """Waits for and holds an exclusive lock on `path`, so that long work is not done twice.

    Creates the file and its folder if missing; a link in its place is not followed. Does not block on a file system
    without locks: the caller must be correct without the lock. Raises Timeout if another process holds the lock and
    `blocking` is false, OSError if the file cannot be opened.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(_lock(path, blocking))
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        yield


@contextmanager
def lock_or_refuse(path: Path, refusal: str) -> Iterator[None]:
    """Holds an exclusive lock on `path`. Raises UserError(refusal) if another process holds it."""
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive_lock(path, blocking=False))
        except Timeout as error:
            raise UserError(refusal) from error
        yield


def is_abandoned(path: Path) -> bool:
    """True if no process holds the lock on `path`, which is created if missing; False if this cannot be found out."""
    try:
        with _lock(path, blocking=False):
            return True
    except OSError:  # held, or a file system without locks
        return False


def _lock(path: Path, blocking: bool) -> FileLock:
    """Without filelock's marker files where locks are missing: those of killed processes would remain."""
    return FileLock(path, blocking=blocking, fallback_to_soft=False)
