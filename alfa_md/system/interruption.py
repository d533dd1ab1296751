"""Ctrl-C and SIGTERM as a wish to stop at the next safe place; a second one stops at once."""

import signal
import threading
from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While entered, the first signal only sets `wanted`; signals after it act as they did before.

    Entered outside the main thread, where Python takes no signals, it never sets anything.
    """

    def __init__(self):
        self.number = 0

    @property
    def wanted(self) -> bool:
        """Whether someone asked to stop."""
        return self.number > 0

    @property
    def code(self) -> int:
        """The exit code by which shells know an end by this signal; SIGTERM's where another process received it."""
        return 128 + (self.number or signal.SIGTERM)

    def __enter__(self) -> "Interruption":
        ours = threading.current_thread() is threading.main_thread()
        self.before = {number: signal.signal(number, self._note) for number in SIGNALS} if ours else {}
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
