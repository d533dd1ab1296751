"""The outer loop: meta-training with validation, and the best checkpoint kept."""

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import gin
import torch
from torch import Tensor
from torch.optim.lr_scheduler import StepLR

from alfa_md import config
from alfa_md.checkpoint import TrainState
from alfa_md.data.prefetch import prefetch
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.errors import UserError
from alfa_md.evaluation import accuracies
from alfa_md.experiment import Experiment
from alfa_md.learners.base import Learner
from alfa_md.metrics import mean_ci
from alfa_md.metrics_log import MetricsLog
from alfa_md.progress import Progress
from alfa_md.run_directory import RunDirectory

PATIENCE_HOURS = 12.0  # above it, a run on the CPU is pointed to the quickstart


@gin.configurable
def train(
    experiment: Experiment,
    run: RunDirectory,
    root: Path,
    facts: dict,
    device: torch.device,
    *,
    num_updates: int = gin.REQUIRED,
    learning_rate: float = gin.REQUIRED,
    weight_decay: float = gin.REQUIRED,
    decay_every: int = 1_000_000_000,
    decay_rate: float = 1.0,
    episodes_per_step: int = 1,
    clip_norm: float = 10.0,
    validate_every: int = 500,
    num_validation_episodes: int = 600,
    checkpoint_every: int = 500,
    log_every: int = 100,
) -> TrainState:
    """Meta-trains the experiment's learner in `run`, going on from its last checkpoint where there is one.

    Adam with rate learning_rate * decay_rate ** floor(update / decay_every); gradients averaged over
    `episodes_per_step` episodes and clipped to `clip_norm`. Weight decay is that of weight_decay * sum(w^2) in the
    outer loss, added after clipping. Update k uses training episodes k * episodes_per_step and on; every validation
    uses the same episodes.
    Raises UserError on a non-finite loss or gradient; the last checkpoint then stays as it is.
    """
    source, validation = experiment.training(root, facts["seed"]), experiment.validation(root, facts["seed"])
    run.open(config.operative(), facts)
    learner = experiment.learner.to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(parameter_groups(learner, weight_decay), lr=learning_rate)
    state = TrainState(learner, optimizer, StepLR(optimizer, decay_every, decay_rate))
    if run.last.exists():
        state.restore(run.last)
    batches = stream(source, state.step, num_updates, episodes_per_step, device)
    log, progress = MetricsLog(run.metrics, run.tensorboard, state.step), Progress("training", num_updates, state.step)
    with closing(log), progress:
        share = num_validation_episodes / (validate_every * episodes_per_step)
        clock = Clock(state.step, num_updates, device, progress, share, state.spent)
        for episodes in batches:
            loss, score = outer_step(state, episodes, clip_norm)
            clock.tick(state.step)
            best = f"  best validation {100 * state.best:.1f} %" if state.best >= 0 else ""
            progress.advance(f"loss {loss:.3f}  accuracy {100 * score:.1f} %{best}")
            if due(state.step, log_every, num_updates):
                rate = state.schedule.get_last_lr()[0]
                log.write(state.step, "train", loss=loss, accuracy=score, learning_rate=rate, **clock.seconds())
            if due(state.step, validate_every, num_updates):
                mean = validate(state, run, validation, num_validation_episodes, device)
                log.write(state.step, "validation", accuracy=mean, **clock.seconds())
                progress.say(f"update {state.step}: validation {100 * mean:.2f} %, best {100 * state.best:.2f} %")
            if due(state.step, checkpoint_every, num_updates):
                state.spent = clock.seconds()
                state.save(run.last)
    return state


def parameter_groups(learner: Learner, weight_decay: float) -> list[dict]:
    """Adam's groups: wd * sum(w^2) has gradient 2 wd w, and acts on the learner's decayed tensors only."""
    decayed = learner.decayed()
    chosen = {id(parameter) for parameter in decayed}
    others = [parameter for parameter in learner.parameters() if id(parameter) not in chosen]
    groups = [{"params": decayed, "weight_decay": 2 * weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def stream(
    source: EpisodeSource, done: int, num_updates: int, episodes_per_step: int, device: torch.device
) -> Iterator[Sequence[Episode]]:
    """The training episodes of every update from `done` on."""
    episodes = prefetch(source, range(done * episodes_per_step, num_updates * episodes_per_step), device)
    while batch := list(itertools.islice(episodes, episodes_per_step)):
        yield batch


def outer_step(state: TrainState, episodes: Sequence[Episode], clip_norm: float) -> tuple[float, float]:
    """One update of the meta-parameters; returns the mean loss and score. Raises UserError when not finite."""
    state.learner.train()
    state.optimizer.zero_grad()
    losses, scores = zip(*(backward(state, episode, len(episodes)) for episode in episodes), strict=True)
    norm = torch.nn.utils.clip_grad_norm_(state.learner.parameters(), clip_norm).item()
    if not math.isfinite(norm):
        raise UserError(diverged("gradient", state, episodes))
    state.optimizer.step()
    state.schedule.step()
    state.step += 1
    return sum(losses) / len(losses), sum(scores) / len(scores)


def backward(state: TrainState, episode: Episode, num_episodes: int) -> tuple[float, float]:
    """Adds an episode's share to the gradients; each graph is freed before the next episode is built."""
    objective = state.learner.objective
    prediction: Tensor = state.learner(episode)
    loss = objective.loss(prediction, episode.query_y)
    if not math.isfinite(loss.item()):
        raise UserError(diverged("loss", state, [episode]))
    (loss / num_episodes).backward()
    return loss.item(), objective.score(prediction.detach(), episode.query_y).item()


def diverged(what: str, state: TrainState, episodes: Sequence[Episode]) -> str:
    names = ", ".join(episode.name for episode in episodes)
    return (
        f"non-finite {what} at update {state.step + 1} on {names}; checkpoints stay as they were; "
        "lower train.learning_rate, the inner rate or train.clip_norm"
    )


def validate(
    state: TrainState, run: RunDirectory, source: EpisodeSource, num_episodes: int, device: torch.device
) -> float:
    """The mean validation accuracy; the first state to reach the highest becomes the best checkpoint."""
    mean = mean_ci(accuracies(state.learner, source, num_episodes, device)).mean
    if mean > state.best:
        state.best = mean
        state.save(run.best)
    return mean


def due(step: int, every: int, last: int) -> bool:
    """Every `every` updates, and at the end."""
    return step % every == 0 or step == last


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

    def seconds(self) -> dict[str, float]:
        """Wall-clock and CPU seconds that this run has taken."""
        now = {"seconds": time.monotonic() - self.started, "cpu_seconds": time.process_time()}
        return {name: round(self.spent.get(name, 0.0) + value, 2) for name, value in now.items()}

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
        self.progress.say(f"{seconds:.2f} s an update: about {whole} for {updates} updates and their validation")
        if self.device.type == "cpu" and hours > PATIENCE_HOURS:
            self.progress.say(
                "This needs a GPU; on a CPU add --gin_config=gin/quickstart.gin or run scripts/quickstart.sh"
            )
