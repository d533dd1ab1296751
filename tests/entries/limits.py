"""System limits for tests: disk space, memory, and write permissions."""

import ctypes
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CAPABILITIES_3 = 0x20080522  # version of the calls below, with two sets of 32 capabilities
OVERRIDE, SEARCH = 1 << 1, 1 << 2  # by which root may do what the permissions of a file forbid


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """Limits the size of files to `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def small_memory(size: int) -> Iterator[None]:
    """Limits further memory of the process to `size` bytes."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells how much a process has and keeps it from having more")
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Makes a folder and its subfolders read-only, also for root."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    modes = {path: path.stat().st_mode for path in folders}
    try:
        for path in folders:
            path.chmod(0o555)
        with _without_privileges():
            yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


@contextmanager
def _without_privileges() -> Iterator[None]:
    """Drops the capabilities of this thread that override file permissions."""
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("root may write everywhere, and only Linux lets it do without")
    libc, header, sets = ctypes.CDLL(None), _Header(CAPABILITIES_3, 0), (_Sets * 2)()
    assert libc.capget(ctypes.byref(header), sets) == 0
    effective = sets[0].effective
    sets[0].effective &= ~(OVERRIDE | SEARCH)
    assert libc.capset(ctypes.byref(header), sets) == 0
    try:
        yield
    finally:
        sets[0].effective = effective
        assert libc.capset(ctypes.byref(header), sets) == 0
