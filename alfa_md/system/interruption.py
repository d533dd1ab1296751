"""Graceful stop on Ctrl-C, SIGTERM and the signals of schedulers: the first one requests a stop, the next acts at once.

Under torchrun the next one does not: torchrun passes on what the whole process group has received already.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

from alfa_md.system.distributed import in_torchrun

# The end of a terminal or connection sends SIGHUP; Slurm, SGE and LSF announce their limits by the others.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)


class Interruption:
    """Context manager in which the first signal only sets `requested`; later signals get their previous handlers.

    Signals that this process was started to ignore, as by nohup, remain ignored. Does nothing outside the main thread,
    where Python handles no signals.
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
        ours = SIGNALS if threading.current_thread() is threading.main_thread() else ()
        heeded = [number for number in ours if signal.getsignal(number) is not signal.SIG_IGN]
        self.before = {number: signal.signal(number, self._note) for number in heeded}
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = self.number or number
        if not in_torchrun():
            self._restore()

    def _restore(self) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Starts no child process that gets Ctrl-C, which terminals send to children too; it is handled after the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
