"""What happens between two updates of a run: validation, checkpoints, curves, and a stop where one is wanted."""

from contextlib import ExitStack
from types import TracebackType

import torch

from alfa_md.checkpoint import TrainState
from alfa_md.clock import Clock
from alfa_md.distributed import Group
from alfa_md.episode import EpisodeSource
from alfa_md.evaluation import scores
from alfa_md.interruption import Interruption
from alfa_md.metrics import MeanCI, mean_ci
from alfa_md.metrics_log import MetricsLog
from alfa_md.progress import CONSOLE, Progress
from alfa_md.run_directory import RunDirectory
from alfa_md.watching import peak_memory, watch


class OuterLoop:
    """Entered for the time of a run. All processes of `group` call the same methods; the first one writes."""

    def __init__(
        self,
        state: TrainState,
        run: RunDirectory,
        device: torch.device,
        group: Group,
        num_updates: int,
        validation_share: float,
    ):
        self.state, self.run, self.device, self.group = state, run, device, group
        self.progress, self.stop = Progress("training", num_updates, state.step), Interruption()
        self.clock = Clock(state.step, num_updates, device, self.progress, validation_share, state.spent)
        self.log: MetricsLog | None = None

    def __enter__(self) -> "OuterLoop":
        with ExitStack() as stack:
            stack.enter_context(self.stop)
            if self.group.first:
                steps = {"train": self.state.step, "validation": self.state.validated}
                self.log = MetricsLog(self.run.metrics, self.run.tensorboard, steps)
                stack.callback(self.log.close)
            stack.enter_context(self.progress)
            self.opened = stack.pop_all()
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.opened.__exit__(kind, value, trace)

    def validate(self, source: EpisodeSource, num_episodes: int) -> None:
        """The first state to reach the highest mean becomes the best checkpoint; nothing happens if stopped within."""
        values: list[float] = []
        for portion in scores(self.state.learner, source, range(num_episodes), self.device, self.group):
            values += portion
            if self.group.any(self.stop.wanted):
                return
        result, state = mean_ci(values), self.state
        state.validated = state.step
        improved = result.mean > state.best
        state.best = max(result.mean, state.best)
        if self.log:
            if improved:
                state.save(self.run.best)
            self._show(result, source)

    def _show(self, result: MeanCI, source: EpisodeSource) -> None:
        state = self.state
        watch(self.log.writer, state.learner, source.episode(0).to(self.device), state.step)
        values = {"accuracy": result.mean, "ci95": result.ci95}
        self.log.write(state.step, "validation", **values, **self.clock.seconds())
        best = f"best {100 * state.best:.2f} %"
        self.progress.say(f"update {state.step}: validation {result.percent()} %, {best}")

    def keep(self) -> None:
        """Writes the last checkpoint, unless it is on disk already."""
        state = self.state
        if (state.step, state.validated) != state.saved:
            state.spent = self.clock.seconds()
            if self.log:
                state.save(self.run.last, self.run.previous)
            state.saved = (state.step, state.validated)

    def leave_if_wanted(self) -> None:
        """Raises SystemExit, the state saved, where someone has asked one of the processes to stop."""
        if self.group.any(self.stop.wanted):
            self.keep()
            self.group.agreed(None)  # whoever left now would have the first process ended while it writes
            CONSOLE.print(f"stopped after update {self.state.step}; the same command goes on from there")
            raise SystemExit(self.stop.code)

    def tell(self, loss: float, score: float, waited_seconds: float, record: bool) -> None:
        """Shows an update that is done; enters it in the curves where it is to be recorded."""
        state, data_wait = self.state, self.clock.share(waited_seconds)
        best = f"  best validation {100 * state.best:.1f} %" if state.best >= 0 else ""
        waiting = f"waiting for data {100 * data_wait:.0f} %"
        self.clock.tick(state.step)
        self.progress.advance(f"loss {loss:.3f}  accuracy {100 * score:.1f} %  {waiting}{best}")
        if record and self.log:
            values = {"loss": loss, "accuracy": score, "learning_rate": state.schedule.get_last_lr()[0]}
            costs = {"data_wait": data_wait, "peak_memory": peak_memory(self.device)}
            self.log.write(state.step, "train", **values, **self.clock.seconds(), **costs)
