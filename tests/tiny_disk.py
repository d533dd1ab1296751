"""A real file system that is soon full."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def tiny_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Mounts a file system in memory of this size at `folder`; skips the test where that is not permitted."""
    folder.mkdir(exist_ok=True)
    options = ("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder))
    try:
        done = subprocess.run(["mount", *options], capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if done.returncode:
        pytest.skip("only root may mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, left: int = 0) -> None:
    """Fills a disk up to `left` bytes."""
    file, block = disk / "filling", 4096
    with open(file, "wb", buffering=0) as filling:
        try:
            while True:
                filling.write(bytes(block))
        except OSError:
            pass
        filling.truncate(max(0, filling.tell() - left))
