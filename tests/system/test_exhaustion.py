"""Errors that mean a lack of resources, as Python, PyTorch and the dynamic linker raise them."""

import errno
import resource

import pytest
import torch

from alfa_md.system.exhaustion import DISK, FILES, MEMORY, THREADS, describe_exhaustion


def chained(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MemoryError(), MEMORY),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), MEMORY),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), MEMORY),
        (RuntimeError("can't start new thread"), THREADS),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), THREADS),
        (OSError(errno.EMFILE, "Too many open files"), FILES),
        (OSError(errno.ENOSPC, "No space left on device"), DISK),
        (chained(SystemError("initialisation failed"), MemoryError()), MEMORY),
        (ValueError("ours"), None),
        (OSError("image file is truncated"), None),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), None),
    ],
)
def test_the_line_names_what_is_lacking(error, line):
    assert describe_exhaustion(error) == line


def test_the_allocator_of_pytorch_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert describe_exhaustion(caught.value) == MEMORY


def test_open_files_are_recognised(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        with pytest.raises(OSError) as caught:
            open(tmp_path / "a", "w", encoding="utf-8")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert describe_exhaustion(caught.value) == FILES
