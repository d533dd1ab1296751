"""Setting of glibc's allocator that keeps freed pages: page faults of large tensors cost up to a third of CPU time."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # names and numbers of glibc's malloc.h
LARGEST = 2**28  # bytes; tensors up to this size come from the heap, whose pages are reused


def keep_freed_pages() -> None:
    """Makes glibc's allocator reuse the pages of freed tensors; does nothing on other platforms."""
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(M_MMAP_THRESHOLD, LARGEST)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
