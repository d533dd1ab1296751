"""Graceful stop on Ctrl-C or SIGTERM: the first signal requests a stop, a second one acts at once."""

import signal
import threading
from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Context manager in which the first signal only sets `requested`; later signals get their previous handlers.

    Does nothing outside the main thread, where Python handles no signals.
    """

    def __init__(self):
        self.number = 0

    @property
    def requested(self) -> bool:
        """True if this process has received a signal to stop."""
        return self.number > 0

    @property
    def exit_code(self) -> int:
        """128 + signal, as in shells; that of SIGTERM if another process received the signal."""
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
