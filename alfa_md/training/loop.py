"""The outer loop: meta-training with validation, the best checkpoint kept, and the state to go on from."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import gin
import torch

from alfa_md.data.prefetch import Prefetcher
from alfa_md.episode import Episode
from alfa_md.errors import UserError, require_at_least
from alfa_md.experiment import config
from alfa_md.experiment.checkpoint import TrainState
from alfa_md.experiment.definition import Experiment
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.learners.base import Learner
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from alfa_md.system.progress import CONSOLE
from alfa_md.training.hooks import OuterLoop
from alfa_md.training.schedules import Schedule, flat
from alfa_md.training.step import UNTRAINED, outer_step, parameter_groups, trained


@gin.configurable
def train(
    experiment: Experiment,
    run: RunDirectory,
    root: Path,
    facts: dict,
    device: torch.device,
    group: ProcessGroup = SINGLE_PROCESS,
    *,
    num_updates: int = gin.REQUIRED,
    learning_rate: float = gin.REQUIRED,
    weight_decay: float = gin.REQUIRED,
    schedule: Schedule = flat,
    episodes_per_step: int = 1,
    clip_norm: float = 10.0,
    validate_every: int = 500,
    num_validation_episodes: int = 600,
    keep_best: int = 1,
    checkpoint_every: int = 500,
    log_every: int = 100,
) -> TrainState:
    """Meta-trains the experiment's learner in `run`, going on from its last checkpoint where there is one.

    Adam from `learning_rate` on by `schedule`; gradients averaged over `episodes_per_step` episodes and clipped to
    `clip_norm`. Weight decay is that of weight_decay * sum(w^2) in the outer loss, added after clipping. Update k uses
    training episodes k * episodes_per_step and on; every validation uses the same episodes, and the weights of the
    `keep_best` best ones are kept. Without updates the learner is validated and kept as it starts. Nothing depends on
    where a run was interrupted or on the number of processes in `group`, up to the rounding of their sums.

    Raises UserError on a non-finite loss or gradient; the last checkpoint then stays as it is. Ends the process with
    128 + signal after Ctrl-C or SIGTERM, the state saved.
    """
    counts = {"episodes_per_step": episodes_per_step, "validate_every": validate_every, "keep_best": keep_best}
    counts |= {"num_validation_episodes": num_validation_episodes, "checkpoint_every": checkpoint_every}
    require_at_least(1, "train", **counts, log_every=log_every)
    rates = {"learning_rate": learning_rate, "weight_decay": weight_decay, "clip_norm": clip_norm}
    require_at_least(0, "train", num_updates=num_updates, **rates)
    tell_of_idle(group, episodes_per_step)
    source, validation = experiment.training(root, facts["seed"]), experiment.validation(root, facts["seed"])
    learner = experiment.learner.to(device, memory_format=torch.channels_last)
    refuse_nothing(learner, num_updates)
    optimizer = torch.optim.Adam(parameter_groups(learner, weight_decay), lr=learning_rate)
    state = TrainState(learner, optimizer, schedule(optimizer, num_updates))
    with ExitStack() as stack:
        stack.enter_context(run.opened(config.operative(), facts, group))
        restore(state, run, group)
        share = num_validation_episodes / (validate_every * episodes_per_step)
        loop = stack.enter_context(OuterLoop(state, run, device, group, num_updates, share, keep_best))
        steps = (range(k * episodes_per_step, (k + 1) * episodes_per_step) for k in range(state.step, num_updates))
        episodes = Prefetcher(source, itertools.chain.from_iterable(map(group.shard, steps)), device)
        batches = stack.enter_context(closing(grouped(episodes, len(group.shard(range(episodes_per_step))))))
        while True:
            if due(state.step, validate_every, num_updates) and state.validated < state.step:
                loop.validate(validation, num_validation_episodes)
            if due(state.step, checkpoint_every, num_updates):
                loop.keep()
            loop.leave_if_wanted()
            if state.step == num_updates:
                return state
            loss, score = outer_step(state, next(batches), clip_norm, group)
            loop.tell(loss, score, episodes.waited_seconds, due(state.step, log_every, num_updates))


def tell_of_idle(group: ProcessGroup, episodes_per_step: int) -> None:
    """Says how many processes have no episode of their own in an update."""
    if episodes_per_step < group.size:
        idle = f"{group.size - episodes_per_step} of {group.size} processes wait in training and help in validation"
        CONSOLE.print(f"train.episodes_per_step = {episodes_per_step}: {idle}")


def refuse_nothing(learner: Learner, num_updates: int) -> None:
    """Says where there is no update; raises UserError where there are some, and nothing to take them."""
    name = type(learner).__name__
    if num_updates == 0:
        CONSOLE.print(f"train.num_updates = 0: {name} is validated and kept as it starts, untrained")
    elif not trained(learner):
        raise UserError(f"{name} has nothing to train; {UNTRAINED}")


def restore(state: TrainState, run: RunDirectory, group: ProcessGroup) -> None:
    """Takes over the last checkpoint that is whole; damaged ones are told of and set aside, lest one replaces it."""
    damaged = state.restore_first([run.last, run.previous])
    group.broadcast(None)  # all have read
    for path, reason in damaged.items():
        aside = path.with_name(f"{path.stem}.damaged.pt")
        CONSOLE.print(f"{reason}: kept as {aside.name}; going on from update {state.step}")
        if group.is_first:
            path.replace(aside)


def grouped(episodes: Iterable[Episode], number: int) -> Iterator[Sequence[Episode]]:
    """The episodes of one update after the other, `number` each, which may be none."""
    with closing(iter(episodes)) as iterator:
        while True:
            yield list(itertools.islice(iterator, number))


def due(step: int, every: int, last: int) -> bool:
    """Every `every` updates, and at the end, which may be the start."""
    return step == last or (step > 0 and step % every == 0)
