"""A sparse file of equally large slots, shared by processes, which grows up to a limit."""

import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock


class SlotFile:
    """Slots are read and written by number, from any number of threads and processes.

    The limit is for all files of the folder together. Where the file can only be read, or not even that, or no space is
    left, this is said once and nothing more is written.
    """

    def __init__(self, path: Path, slot_size: int, max_bytes: int):
        self.path, self.slot_size, self._max_bytes = path, slot_size, max_bytes
        self._file: int | None = None
        self._opened, self._writable = False, True
        self._lock = Lock()

    def read(self, slot: int, parts: Sequence[memoryview]) -> bool:
        """Fills writable memory, one part after the other; False where the slot was never written."""
        file = self._open()
        return file is not None and os.preadv(file, parts, slot * self.slot_size) == self.slot_size

    def write(self, contents: dict[int, bytes]) -> None:
        """Fills slots, if there is room for them."""
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
        """The bytes that the files of the folder take on disk, holes not counted."""
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
    """Once a process, however many splits of a source meet the same."""
    print(line, file=sys.stderr)


def _open_read_only(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
