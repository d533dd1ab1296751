"""What a run costs: time, the share of it spent waiting for episodes, and an estimate of the whole."""

import time

import torch

from alfa_md.system.progress import Progress

PATIENCE_HOURS = 12.0  # above it, a run on the CPU is pointed to the quickstart


class Clock:
    """Time per update; after the third, tells what the whole run will take.

    `validation_share` is the number of validation episodes for every training episode, `spent` the time that earlier
    processes of this run have used.
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
        """Wall-clock and CPU seconds that this run has taken."""
        now = {"seconds": time.monotonic() - self.started, "cpu_seconds": time.process_time() - self.cpu_started}
        return {name: round(self.spent.get(name, 0.0) + value, 2) for name, value in now.items()}

    def share(self, seconds: float) -> float:
        """What part of this process's time so far these seconds are."""
        return round(seconds / max(time.monotonic() - self.started, 1e-9), 4)

    def tick(self, step: int) -> None:
        """Called after every update."""
        if step == self.done + 1:
            self.first = time.monotonic()  # the first update also waits for data and warms up
        elif step == self.done + 3:
            self._estimate((time.monotonic() - self.first) / 2)

    def _estimate(self, seconds: float) -> None:
        updates = self.num_updates - self.done
        # A validation episode has no outer gradient: it is counted with the half of a training episode.
        hours = seconds * updates * (1 + self.validation_share / 2) / 3600
        whole = f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.1f} minutes"
        self.progress.print_line(f"{seconds:.2f} s an update: about {whole} for {updates} updates and their validation")
        if self.device.type == "cpu" and hours > PATIENCE_HOURS:
            self.progress.print_line(
                "This needs a GPU; on a CPU add --gin_config=gin/quickstart.gin or run scripts/quickstart.sh"
            )
