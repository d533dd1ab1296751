"""Preparation of a command before its imports, which take seconds: descriptors, encoding, Ctrl-C, and lack of memory.

`python -m alfa_md.X` and `alfa-md X` import the package first, which calls `prepare`; nothing is done for a process
that only uses the package.
"""

import codecs
import io
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType

from alfa_md.system.exhaustion import describe_exhaustion

BAD_INPUT = 2
SCRIPT = "alfa-md"  # of setup.cfg
INTERRUPTED = 130  # the exit code of shells for Ctrl-C
SPELLED = {"±": "+-", "×": "x", "…": "...", "—": "-", "–": "-", "→": "->", "−": "-", "✓": "yes", "✗": "no"}


def is_command() -> bool:
    """True in the console command, and while Python looks for the module of `python -m alfa_md.X`."""
    if sys.argv[:1] == ["-m"]:
        return any(word.split(".")[0] == "alfa_md" for word in sys.orig_argv)
    return os.path.basename("".join(sys.argv[:1])) == SCRIPT


def prepare() -> None:
    """Makes this process independent of the descriptors, the locale and the signal settings that it inherits."""
    open_closed_descriptors()
    require_working_directory()
    restart_in_utf8()
    pin_environment()
    sys.stdout, sys.stderr = lasting_stream(sys.stdout, 1), lasting_stream(sys.stderr, 2)
    sys.excepthook = report_exhaustion
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would turn every exit code of a subprocess into 0
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else ignored, as in a background job
        signal.signal(signal.SIGINT, _leave)


def open_closed_descriptors() -> None:
    """Opens the null device in place of each of the descriptors 0 to 2 that is closed, which a file would take."""
    for descriptor, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
            os.set_inheritable(descriptor, True)


def require_working_directory() -> None:
    """Ends the process in one line if its working directory is gone: libraries that PyTorch loads end it without."""
    try:
        os.getcwd()
    except OSError as error:
        print(f"error: the working directory: {error.strerror}; change to a folder that exists", file=sys.stderr)
        os._exit(BAD_INPUT)


def restart_in_utf8() -> None:
    """Starts Python again in its UTF-8 mode if the locale has another encoding, which it would use for file names.

    What is printed remains in the encoding of the locale.
    """
    if sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode and sys.executable:
        if sys.stdout is not None:
            os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding)
        with suppress(OSError):
            os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def pin_environment() -> None:
    """Removes the inherited settings by which libraries would compute in a lower precision, or print nothing."""
    os.environ["ONEDNN_DEFAULT_FPMATH_MODE"] = "STRICT"
    for name in ("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"):
        os.environ.pop(name, None)
    if os.environ.get("COLUMNS") == "0":  # rich prints nothing at that width
        del os.environ["COLUMNS"]


class LastingFile(io.FileIO):
    """A descriptor open for writing; what cannot be written is dropped, after one line on stderr."""

    lost = False

    def write(self, data: bytes) -> int:
        """Returns the number of bytes written, or of all bytes if the reader is gone or the disk is full."""
        try:
            while (written := super().write(data)) is None:  # a descriptor that does not block
                select.select([], [self], [])
            return written
        except OSError as error:
            if not self.lost and self.fileno() == 1:
                self.lost = True  # before the line is printed
                print(f"stdout: {error.strerror}; the command goes on without it", file=sys.stderr)
            return len(data)


def lasting_stream(stream: io.TextIOBase | None, descriptor: int) -> io.TextIOWrapper:
    """A text stream like `stream` that never raises: see LastingFile; unencodable characters are spelt."""
    by_line = stream is None or stream.line_buffering or stream.write_through  # the latter by python -u
    codecs.register_error("spell", spell)
    file = io.BufferedWriter(LastingFile(descriptor, "wb", closefd=False))
    return io.TextIOWrapper(file, stream.encoding if stream else "utf-8", "spell", line_buffering=by_line)


def spell(error: UnicodeError) -> tuple[str, int]:
    """The handler of characters that a stream's encoding lacks: +- for ±, an escape sequence for a letter."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    spelt = (SPELLED.get(c) or c.encode("ascii", "backslashreplace").decode("ascii") for c in characters)
    return "".join(spelt), error.end


def report_exhaustion(kind: type, error: BaseException, trace: TracebackType | None) -> None:
    """Reports a lack of memory or threads in one line and ends the process; anything else as Python does."""
    line = describe_exhaustion(error)
    if line is None:
        sys.__excepthook__(kind, error, trace)
        return
    print("error:", line, file=sys.stderr)
    sys.stdout.flush()
    os._exit(BAD_INPUT)  # there may be no memory for an orderly end


@contextmanager
def raising_interrupts() -> Iterator[None]:
    """Lets Ctrl-C raise KeyboardInterrupt within the block, if `prepare` has set another reaction."""
    if signal.getsignal(signal.SIGINT) is not _leave:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)
