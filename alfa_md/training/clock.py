"""Timing of a training run: elapsed time, the fraction spent waiting for data, and an estimate of the total."""

import time

import torch

from alfa_md.system.distributed import in_torchrun, shutdown_seconds
from alfa_md.system.progress import Progress

MARGIN = 2  # updates in the time that a process needs to stop: the rest of one, and a checkpoint
CPU_WARNING_HOURS = 12.0  # a longer run on the CPU prints a pointer to the quickstart


class Clock:
    """Times updates; after the third, prints an estimate for the whole run.

    Args:
      done: updates done by earlier processes of the run.
      validation_share: validation episodes per training episode.
      spent: seconds and CPU seconds of earlier processes of the run.
    """

    def __init__(
        self,
        done: int,
        num_updates: int,
        device: torch.device,
        progress: Progress,
        validation_share: float,
        spent: dict[str, float],
    ):
        self.done, self.num_updates, self.device, self.progress = done, num_updates, device, progress
        self.validation_share, self.spent = validation_share, spent
        self.started = self.first = time.monotonic()
        self.cpu_started = time.process_time()  # a pretraining in this process has a clock of its own

    def seconds(self) -> dict[str, float]:
        """Wall-clock and CPU seconds of the run so far, earlier processes included."""
        now = {"seconds": time.monotonic() - self.started, "cpu_seconds": time.process_time() - self.cpu_started}
        return {name: round(self.spent.get(name, 0.0) + value, 2) for name, value in now.items()}

    def fraction(self, seconds: float) -> float:
        """`seconds` as a fraction of this process's time so far."""
        return round(seconds / max(time.monotonic() - self.started, 1e-9), 4)

    def tick(self, step: int) -> None:
        """Records the end of an update; called after every update."""
        if step == self.done + 1:
            self.first = time.monotonic()  # excludes the first update, which also waits for data and warms up
        elif step == self.done + 3:
            self._estimate((time.monotonic() - self.first) / 2)

    def _estimate(self, seconds: float) -> None:
        updates = self.num_updates - self.done
        # A validation episode has no outer gradient: it counts as half a training episode.
        hours = seconds * updates * (1 + self.validation_share / 2) / 3600
        whole = f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.1f} minutes"
        self.progress.print_line(f"{seconds:.2f} s an update: about {whole} for {updates} updates and their validation")
        if in_torchrun() and MARGIN * seconds > shutdown_seconds():
            self.progress.print_line(
                f"torchrun kills its processes {shutdown_seconds()} s after SIGTERM, and to save a run takes the rest "
                f"of an update and more: give torchrun --shutdown-timeout={round(10 * MARGIN * seconds)}"
            )
        if self.device.type == "cpu" and hours > CPU_WARNING_HOURS:
            self.progress.print_line("This needs a GPU; on a CPU add --gin_config=gin/quickstart.gin")
