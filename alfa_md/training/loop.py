"""The outer loop: meta-training with validation, checkpoints of the best weights, and exact resumption."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import gin
import torch

from alfa_md.data.prefetch import Prefetcher
from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.experiment import config
from alfa_md.experiment.checkpoint import TrainState
from alfa_md.experiment.definition import Experiment
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.learners.base import Learner
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from alfa_md.system.progress import CONSOLE
from alfa_md.training.extension import extend_run
from alfa_md.training.hooks import TrainingHooks
from alfa_md.training.schedules import Schedule, flat
from alfa_md.training.step import UNTRAINED_REMEDY, outer_step, parameter_groups, trainable_parameters
from alfa_md.values import Count, CountOrZero, Items, NonNegative, Positive


@gin.configurable
def train(
    experiment: Experiment,
    run: RunDirectory,
    root: Path,
    facts: dict,
    device: torch.device,
    group: ProcessGroup = SINGLE_PROCESS,
    bindings: Sequence[str] = (),
    *,
    num_updates: CountOrZero = gin.REQUIRED,
    learning_rate: NonNegative = gin.REQUIRED,
    weight_decay: NonNegative = gin.REQUIRED,
    schedule: Schedule = flat,
    episodes_per_step: Items = 1,
    clip_norm: Positive = 10.0,
    validate_every: Count = 500,
    num_validation_episodes: Count = 600,
    keep_best: Count = 1,
    checkpoint_every: Count = 500,
    log_every: Count = 100,
) -> TrainState:
    """Meta-trains the experiment's learner in `run`, resuming from its last checkpoint if there is one.

    Adam with `learning_rate` scaled by `schedule`; gradients are averaged over `episodes_per_step` episodes and clipped
    to a global norm of `clip_norm`. Weight decay is the gradient of weight_decay * sum(w^2), added after clipping.
    Update k uses training episodes k * episodes_per_step to (k + 1) * episodes_per_step - 1; every validation uses the
    same episodes, and the `keep_best` best weights are kept. With num_updates = 0 the initial learner is validated and
    saved. Results do not depend on interruptions, nor, up to rounding, on the number of processes in `group`. Those of
    the user's `bindings` that nothing calls are printed. Raises UserError on a non-finite loss or gradient; the last
    checkpoint is then unchanged. After Ctrl-C or SIGTERM saves the state and exits with code 128 + signal.
    """
    report_idle_processes(group, episodes_per_step)
    facts = facts | {"device": device.type, "processes": group.size}
    source, validation = experiment.training(root, facts["seed"]), experiment.validation(root, facts["seed"])
    report_uncalled(bindings)
    learner = experiment.learner.to(device, memory_format=torch.channels_last)
    check_trainable(learner, num_updates)
    optimizer = torch.optim.Adam(parameter_groups(learner, weight_decay), lr=learning_rate)
    state = TrainState(learner, optimizer, schedule(optimizer, num_updates))
    with ExitStack() as stack:
        earlier = stack.enter_context(run.claimed(config.operative(), facts, [source, validation], group))
        restore_checkpoint(state, run, num_updates, group)
        if earlier is not None:
            extend_run(state, run, schedule, earlier, num_updates, group)
        share = num_validation_episodes / (validate_every * episodes_per_step)
        hooks = stack.enter_context(TrainingHooks(state, run, device, group, num_updates, share, keep_best))
        steps = (range(k * episodes_per_step, (k + 1) * episodes_per_step) for k in range(state.step, num_updates))
        episodes = Prefetcher(source, itertools.chain.from_iterable(map(group.shard, steps)), device)
        batches = stack.enter_context(closing(meta_batches(episodes, len(group.shard(range(episodes_per_step))))))
        while True:
            if is_due(state.step, validate_every, num_updates) and state.validated < state.step:
                hooks.validate(validation, num_validation_episodes)
            if is_due(state.step, checkpoint_every, num_updates):
                hooks.save_checkpoint()
            hooks.stop_if_requested()
            if state.step == num_updates:
                return state
            batch = next(batches)
            update = outer_step(state, batch, clip_norm, group)
            hooks.log_update(update, batch, episodes.waited_seconds, is_due(state.step, log_every, num_updates))


def report_uncalled(bindings: Sequence[str]) -> None:
    """Prints a line for each of some bindings whose configurable nothing calls."""
    for line in config.uncalled(bindings):
        CONSOLE.print(line)


def report_idle_processes(group: ProcessGroup, episodes_per_step: int) -> None:
    """Prints how many processes have no episode in an update."""
    if episodes_per_step < group.size:
        idle = f"{group.size - episodes_per_step} of {group.size} processes wait in training and help in validation"
        CONSOLE.print(f"train.episodes_per_step = {episodes_per_step}: {idle}")


def check_trainable(learner: Learner, num_updates: int) -> None:
    """Prints a line for a run of zero updates. Raises UserError if there are updates but no trainable parameters."""
    name = type(learner).__name__
    if num_updates == 0:
        CONSOLE.print(f"train.num_updates = 0: {name} is validated and kept as it starts, untrained")
    elif not trainable_parameters(learner):
        raise UserError(f"{name} has nothing to train; {UNTRAINED_REMEDY}")


def restore_checkpoint(state: TrainState, run: RunDirectory, num_updates: int, group: ProcessGroup) -> None:
    """Restores the last intact checkpoint; damaged ones are reported and renamed, so that none replaces it.

    Raises UserError if none is intact, or if it has more than `num_updates` updates.
    """
    damaged = state.restore_first([run.last, run.previous])
    if state.step == 0 and not run.last.exists() and run.metrics.exists():
        CONSOLE.print(f"{run.path} holds no checkpoint to go on from: training begins again at update 0")
    if state.step > num_updates:
        raise UserError(
            f"{run.path} has done {state.step} updates, more than train.num_updates = {num_updates}: its checkpoints "
            "are of another run; choose another --run_dir"
        )
    group.broadcast(None)  # barrier: all processes have read
    for path, reason in damaged.items():
        aside = path.with_name(f"{path.stem}.damaged.pt")
        fault = reason.partition(";")[0]  # without the remedy
        CONSOLE.print(f"{fault}: kept as {aside.name}; going on from update {state.step}")
        if group.is_first:
            path.replace(aside)


def meta_batches(episodes: Iterable[Episode], number: int) -> Iterator[Sequence[Episode]]:
    """Yields the episodes of every update in turn, `number` each (possibly 0)."""
    with closing(iter(episodes)) as iterator:
        while True:
            yield list(itertools.islice(iterator, number))


def is_due(step: int, every: int, last: int) -> bool:
    """True after every `every` updates and after the last one, even if that is update 0."""
    return step == last or (step > 0 and step % every == 0)
