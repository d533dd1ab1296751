"""What happens between two updates of a run: validation, checkpoints, curves, and a stop where one is wanted."""

from contextlib import ExitStack
from types import TracebackType

import torch

from alfa_md.episode import EpisodeSource
from alfa_md.evaluation.results import scores
from alfa_md.experiment.checkpoint import TrainState, save_weights
from alfa_md.experiment.ranking import ranked
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.metrics import MeanCI, Unit, mean_ci
from alfa_md.system.distributed import ProcessGroup
from alfa_md.system.interruption import Interruption
from alfa_md.system.progress import CONSOLE, Progress
from alfa_md.training.clock import Clock
from alfa_md.training.metrics_log import MetricsLog
from alfa_md.training.tensorboard import peak_memory, watch


class OuterLoop:
    """Entered for the time of a run. All processes of `group` call the same methods; the first one writes."""

    def __init__(
        self,
        state: TrainState,
        run: RunDirectory,
        device: torch.device,
        group: ProcessGroup,
        num_updates: int,
        validation_share: float,
        keep_best: int,
    ):
        self.state, self.run, self.device, self.group = state, run, device, group
        self.unit, self.keep_best = state.learner.objective.unit, keep_best
        self.progress, self.stop = Progress("training", num_updates, state.step), Interruption()
        self.clock = Clock(state.step, num_updates, device, self.progress, validation_share, state.spent)
        self.log: MetricsLog | None = None

    def __enter__(self) -> "OuterLoop":
        with ExitStack() as stack:
            stack.enter_context(self.stop)
            if self.group.is_first:
                steps = {"train": self.state.step, "validation": self.state.validated}
                self.log = MetricsLog(self.run.metrics, self.run.tensorboard, steps)
                stack.callback(self.log.close)
                self.run.rank_top(self.state.ranking)
                self.run.drop_unranked(self.state.ranking)  # what a lost continuation has added
            stack.enter_context(self.progress)
            self.opened = stack.pop_all()
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.opened.__exit__(kind, value, trace)

    def validate(self, source: EpisodeSource, num_episodes: int) -> None:
        """The first state to reach the best mean becomes the best checkpoint; nothing happens if stopped within."""
        values: list[float] = []
        for portion in scores(self.state.learner, source, range(num_episodes), self.device, self.group):
            values += portion
            if self.group.any(self.stop.requested):
                return
        result, state = mean_ci(values), self.state
        state.validated = state.step
        state.ranking = ranked(state.ranking, state.step, result.mean, self.unit, self.keep_best)
        if self.log:
            self._keep_best()
            self._show(result, source)

    def _keep_best(self) -> None:
        state = self.state
        if state.step == next(iter(state.ranking)):
            state.save(self.run.best)
        if state.step in state.ranking:
            self.run.top.mkdir(exist_ok=True)
            save_weights(self.run.top_file(state.step), state.learner.state_dict(), state.step)
        self.run.rank_top(state.ranking)

    def _show(self, result: MeanCI, source: EpisodeSource) -> None:
        state = self.state
        watch(self.log.writer, state.learner, source.episode(0).to(self.device), state.step)
        values = {self.unit.name: result.mean, "ci95": result.ci95}
        self.log.write(state.step, "validation", **values, **self.clock.seconds())
        mean, best = spelt(self.unit.text(result), self.unit), spelt(self.unit.number(state.best), self.unit)
        self.progress.print_line(f"update {state.step}: validation {mean}, best {best}")

    def keep(self) -> None:
        """Writes the last checkpoint, unless it is on disk already."""
        state = self.state
        if (state.step, state.validated) != state.saved:
            state.spent = self.clock.seconds()
            if self.log:
                state.save(self.run.last, self.run.previous)
                self.run.drop_unranked(state.ranking)
            state.saved = (state.step, state.validated)

    def leave_if_wanted(self) -> None:
        """Raises SystemExit, the state saved, where someone has asked one of the processes to stop."""
        if self.group.any(self.stop.requested):
            self.keep()
            self.group.broadcast(None)  # whoever left now would have the first process ended while it writes
            CONSOLE.print(f"stopped after update {self.state.step}; the same command goes on from there")
            raise SystemExit(self.stop.exit_code)

    def tell(self, loss: float, score: float, waited_seconds: float, record: bool) -> None:
        """Shows an update that is done; enters it in the curves where it is to be recorded."""
        state, unit, data_wait = self.state, self.unit, self.clock.share(waited_seconds)
        now = f"loss {loss:.3f}  {unit.name} {spelt(unit.number(score), unit)}"
        best = "" if state.best is None else f"  best validation {spelt(unit.number(state.best), unit)}"
        self.clock.tick(state.step)
        self.progress.advance(f"{now}  waiting for data {100 * data_wait:.0f} %{best}")
        if record and self.log:
            values = {"loss": loss, unit.name: score, "learning_rate": state.schedule.get_last_lr()[0]}
            costs = {"data_wait": data_wait, "peak_memory": peak_memory(self.device)}
            self.log.write(state.step, "train", **values, **self.clock.seconds(), **costs)


def spelt(number: str, unit: Unit) -> str:
    """A number that `unit` has written, with its symbol if it has one."""
    return f"{number} {unit.symbol}".rstrip()
