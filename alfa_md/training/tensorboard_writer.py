"""TensorBoard event files of a run, whose failure ends the recording and not the run."""

import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from torch import Tensor

from alfa_md.system.progress import CONSOLE

# TensorBoard does not import TensorFlow if this module exists, which saves seconds and GPU memory.
sys.modules.setdefault("tensorboard.compat.notf", ModuleType("notf"))
from torch.utils.tensorboard import SummaryWriter  # noqa: E402

_report_other = threading.excepthook


def _report(failed: threading.ExceptHookArgs) -> None:
    """Reports a failed thread unless it is TensorBoard's, whose error the next call of its writer raises again."""
    if not type(failed.thread).__module__.startswith("tensorboard."):
        _report_other(failed)


threading.excepthook = _report


class TensorBoardWriter:
    """Writes scalars, images and histograms to event files in `folder`, until one cannot be written.

    A full disk, a lack of threads, or values that TensorBoard does not take are reported in one line; after it, nothing
    more is written. Events of earlier processes from update `purge_step` on are hidden.
    """

    def __init__(self, folder: Path, purge_step: int):
        self.folder = folder
        self._writer: SummaryWriter | None = None
        try:
            self._writer = SummaryWriter(str(folder), purge_step=purge_step)
        except Exception as error:
            self._stop(error)

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        """Writes a number."""
        self._call("add_scalar", tag, value, step)

    def add_image(self, tag: str, image: Tensor, step: int) -> None:
        """Writes an image [3, H, W] with values in [0, 1]."""
        self._call("add_image", tag, image, step)

    def add_histogram(self, tag: str, values: Tensor, step: int) -> None:
        """Writes a histogram."""
        self._call("add_histogram", tag, values, step)

    def flush(self) -> None:
        """Waits until everything is written."""
        self._call("flush")

    def close(self) -> None:
        """Writes the rest and closes the file."""
        self._call("close")

    def _call(self, method: str, *arguments: object) -> None:
        if self._writer:
            try:
                getattr(self._writer, method)(*arguments)
            except Exception as error:  # also an earlier one, of the thread that writes
                self._stop(error)

    def _stop(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        CONSOLE.print(f"{self.folder}: cannot be written ({reason}); the run goes on without TensorBoard")
        writer, self._writer = self._writer, None
        if writer:
            with suppress(Exception):
                writer.close()
