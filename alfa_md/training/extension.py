"""Extension of a run by a higher train.num_updates, where its updates so far are those of the longer run."""

import torch
from torch.optim.lr_scheduler import LRScheduler

from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import TrainState
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.system.distributed import ProcessGroup
from alfa_md.system.progress import CONSOLE
from alfa_md.training.schedules import Schedule


def extend_run(
    state: TrainState, run: RunDirectory, schedule: Schedule, earlier: int, num_updates: int, group: ProcessGroup
) -> None:
    """Extends a restored run that was to end after `earlier` updates, and writes the new number to config.gin.

    Raises UserError if the learning rates of the updates so far depend on the number of updates.
    """
    change = f"train.num_updates: {earlier} -> {num_updates}"
    rates, _ = replay(state, schedule, earlier)
    rates_of_longer, longer = replay(state, schedule, num_updates)
    if rates != rates_of_longer:
        raise UserError(
            f"{change}: {run.path} cannot be extended: by its train.schedule, the rates of its first {state.step} "
            "updates depend on their number (not so by @flat and @step_decay); choose another --run_dir, where "
            f"PRETRAINED = '{run.path}' starts from its backbone"
        )
    state.schedule.load_state_dict(longer.state_dict())
    for parameters, rate in zip(state.optimizer.param_groups, longer.get_last_lr(), strict=True):
        parameters["lr"] = rate
    if group.is_first:
        run.extend(num_updates)
    CONSOLE.print(f"{change}: the run is extended")


def replay(state: TrainState, schedule: Schedule, num_updates: int) -> tuple[list[list[float]], LRScheduler]:
    """The learning rates of the updates so far in a run of `num_updates`, and its schedule after them."""
    groups = [{"params": [torch.zeros(1)], "lr": group["initial_lr"]} for group in state.optimizer.param_groups]
    optimizer = torch.optim.SGD(groups)
    replayed, rates = schedule(optimizer, num_updates), []
    optimizer.step()  # PyTorch warns if a schedule is stepped before its optimiser
    for _ in range(state.step):
        rates.append(replayed.get_last_lr())
        replayed.step()
    return rates, replayed
