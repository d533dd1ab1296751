"""Hooks of the training loop, run between two updates: validation, checkpoints, logging, graceful stop."""

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType

import torch

from alfa_md.episode import Episode, EpisodeSource
from alfa_md.evaluation.scores import Score, describe_diverged, score_episodes
from alfa_md.experiment.checkpoint import TrainState, save_weights
from alfa_md.experiment.ranking import update_ranking
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.metrics import MeanCI, Unit
from alfa_md.system.distributed import ProcessGroup
from alfa_md.system.interruption import Interruption
from alfa_md.system.progress import CONSOLE, Progress
from alfa_md.training.clock import Clock
from alfa_md.training.metrics_log import MetricsLog
from alfa_md.training.step import UpdateMetrics
from alfa_md.training.tensorboard import log_tensorboard, mean_hyperparameters, peak_memory


class TrainingHooks:
    """Hooks of one run, a context manager. All processes of `group` call the same methods; rank 0 writes files."""

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

    def __enter__(self) -> "TrainingHooks":
        with ExitStack() as stack:
            stack.enter_context(self.stop)
            if self.group.is_first:
                steps = {"train": self.state.step, "validation": self.state.validated}
                self.log = MetricsLog(self.run.metrics, self.run.tensorboard, steps)
                stack.callback(self.log.close)
                self.run.write_ranking(self.state.ranking)
                self.run.remove_unranked(self.state.ranking)  # written after the checkpoint that is resumed from
            stack.enter_context(self.progress)
            self.opened = stack.pop_all()
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.opened.__exit__(kind, value, trace)

    def validate(self, source: EpisodeSource, num_episodes: int) -> None:
        """Scores validation episodes, updates the ranking and the best checkpoints, and logs the result.

        Of equal means the earlier update ranks first. Returns without effect if a stop is requested meanwhile.
        """
        values: list[Score] = []
        with self.progress.part("validation", num_episodes) as progress:
            for portion in score_episodes(self.state.learner, source, range(num_episodes), self.device, self.group):
                values += portion
                progress.advance(number=len(portion))
                if self.group.any(self.stop.requested):
                    return
        result, state = self.unit.mean(values), self.state
        state.validated = state.step
        state.ranking = update_ranking(state.ranking, state.step, self.unit.rank(result), self.unit, self.keep_best)
        if result.diverged:
            self.progress.print_line(describe_diverged(f"update {state.step}: validation", values, self.unit))
        if self.log:
            self._save_best()
            self._log_validation(result, source)

    def _save_best(self) -> None:
        state = self.state
        if state.step == next(iter(state.ranking)):
            state.save(self.run.best)
        if state.step in state.ranking:
            self.run.top.mkdir(exist_ok=True)
            save_weights(self.run.top_file(state.step), state.learner.state_dict(), state.step)
        self.run.write_ranking(state.ranking)

    def _log_validation(self, result: MeanCI, source: EpisodeSource) -> None:
        state = self.state
        log_tensorboard(self.log.writer, state.learner, source.episode(0).to(self.device), state.step)
        values = {self.unit.name: result.mean, "ci95": result.ci95}
        values |= {"diverged": result.diverged} if result.diverged else {}
        self.log.write(state.step, "validation", **values, **self.clock.seconds())
        mean, best = (with_unit(text, self.unit) for text in (self.unit.interval(result), self.unit.number(state.best)))
        self.progress.print_line(f"update {state.step}: validation {mean}{result.remark}, best {best}")

    def save_checkpoint(self) -> None:
        """Writes the last checkpoint unless this state is already saved."""
        state = self.state
        if (state.step, state.validated) != state.saved:
            state.spent = self.clock.seconds()
            if self.log:
                state.save(self.run.last, self.run.previous)
                self.run.remove_unranked(state.ranking)
            state.saved = (state.step, state.validated)

    def stop_if_requested(self) -> None:
        """Saves the state and raises SystemExit if any process has received a signal to stop."""
        if self.group.any(self.stop.requested):
            self.save_checkpoint()
            self.group.broadcast(None)  # waits for rank 0: torchrun ends it as soon as another process exits
            CONSOLE.print(f"stopped after update {self.state.step}; the same command goes on from there")
            raise SystemExit(self.stop.exit_code)

    def log_update(
        self, update: UpdateMetrics, episodes: Sequence[Episode], waited_seconds: float, record: bool
    ) -> None:
        """Shows the progress after an update; with `record`, also writes its metrics to the log.

        Mean rates and decays are those of the inner loop on the first of the update's `episodes`, by new weights.
        """
        state, unit, data_wait = self.state, self.unit, self.clock.fraction(waited_seconds)
        now = f"loss {update.loss:.3f}  {unit.name} {with_unit(unit.number(update.score), unit)}"
        best = "" if state.best is None else f"  best validation {with_unit(unit.number(state.best), unit)}"
        self.clock.tick(state.step)
        self.progress.advance(f"{now}  waiting for data {100 * data_wait:.0f} %{best}")
        if record and self.log:
            values = {"loss": update.loss, unit.name: update.score, "gradient_norm": update.gradient_norm}
            values |= {"learning_rate": state.schedule.get_last_lr()[0]}
            if episodes:
                values |= mean_hyperparameters(state.learner, episodes[0])
            costs = {"data_wait": data_wait, "peak_memory": peak_memory(self.device)}
            self.log.write(state.step, "train", **values, **self.clock.seconds(), **costs)


def with_unit(number: str, unit: Unit) -> str:
    """A number formatted by `unit`, followed by the unit's symbol if it has one."""
    return f"{number} {unit.symbol}".rstrip()
