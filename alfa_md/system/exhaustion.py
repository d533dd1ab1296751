"""Errors that mean a lack of memory, threads or open files, whoever raises them, and their descriptions in one line."""

import errno

MEMORY = "not enough memory; give the process more (ulimit -v), or use smaller images, batches or networks"
THREADS = "no further thread or process can be started; raise the limit (ulimit -u) or end others"
FILES = "too many open files; raise the limit (ulimit -n)"
DISK = "no space left on device; free some space and run the command again"
BY_ERRNO = {
    errno.ENOMEM: MEMORY,
    errno.EAGAIN: THREADS,
    errno.EMFILE: FILES,
    errno.ENFILE: FILES,
    errno.ENOSPC: DISK,
    errno.EDQUOT: DISK,
    errno.EFBIG: DISK,
}
# Parts of messages of RuntimeError, ImportError and others: of Python, the dynamic linker, PyTorch and TensorFlow.
BY_MESSAGE = {
    "can't start new thread": THREADS,
    "can't allocate memory": MEMORY,
    "Cannot allocate memory": MEMORY,
    "failed to map segment": MEMORY,
    "not enough memory": MEMORY,
    "out of memory": MEMORY,
    "bad_alloc": MEMORY,
    "Too many open files": FILES,
}


def describe_exhaustion(error: BaseException | None) -> str | None:
    """One line for an error, or one that caused it, that means a lack of resources; None for any other error."""
    while error is not None:
        if isinstance(error, MemoryError):
            return MEMORY
        if isinstance(error, OSError) and error.errno in BY_ERRNO:
            return BY_ERRNO[error.errno]
        for sign, line in BY_MESSAGE.items():
            if sign in str(error):
                return line
        error = error.__cause__ or error.__context__
    return None
