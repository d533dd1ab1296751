"""Sparse file of fixed-size slots, shared by processes, with a size limit."""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock

from alfa_md.system.console import ERRORS


class SlotFile:
    """Reads and writes slots by number; safe for several threads and processes.

    The limit applies to all files of the folder together. If the file cannot be written or the limit is reached, one
    warning is printed and writing stops.
    """

    def __init__(self, path: Path, slot_size: int, max_bytes: int):
        self.path, self.slot_size, self._max_bytes = path, slot_size, max_bytes
        self._file: int | None = None
        self._opened, self._writable = False, True
        self._lock = Lock()

    def read(self, slot: int, parts: Sequence[memoryview]) -> bool:
        """Read a slot into consecutive buffers; returns False if the slot does not exist."""
        file = self._open()
        return file is not None and os.preadv(file, parts, slot * self.slot_size) == self.slot_size

    def write(self, contents: dict[int, bytes]) -> None:
        """Write slots, unless they would exceed the limit."""
        file = self._open()
        if file is None or not self._writable:
            return
        if self._used() + len(contents) * self.slot_size > self._max_bytes:
            self._stop_writing(f"has reached its limit of {self._max_bytes / 1e9:g} GB (ImageCache.max_gigabytes)")
            return
        try:
            for slot, content in contents.items():
                os.pwrite(file, content, slot * self.slot_size)
        except OSError as error:
            self._stop_writing(f"cannot be written ({error.strerror})")

    def _used(self) -> int:
        """Allocated bytes of all files in the folder; holes do not count."""
        with os.scandir(self.path.parent) as files:
            return sum(file.stat().st_blocks * 512 for file in files)

    def _open(self) -> int | None:
        with self._lock:
            if not self._opened:
                self._opened = True
                try:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
                except OSError as error:
                    self._stop_writing(f"cannot be written ({error.strerror})")
                    self._file = _open_read_only(self.path)
        return self._file

    def _stop_writing(self, reason: str) -> None:
        if self._writable:
            self._writable = False
            _warn_once(f"image cache: {self.path} {reason}; what it lacks is decoded every time")

    def __del__(self):
        if self._file is not None:
            os.close(self._file)


@cache
def _warn_once(line: str) -> None:
    """Print a line to stderr, once per process."""
    ERRORS.print(line)


def _open_read_only(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
