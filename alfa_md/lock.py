"""An advisory lock between processes, so that several at once do not all do the same long work."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock of `path`, made if need be; the system drops it when the process ends, however that happens.

    On a file system without locks there is no waiting: the caller must be correct without it.
    """
    with path.open("a") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
