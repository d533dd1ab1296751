"""Learning rate schedules of the outer loop: factories of a PyTorch scheduler that is stepped after every update."""

from collections.abc import Callable

import gin
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, StepLR

from alfa_md.errors import UserError, require_at_least
from alfa_md.values import Count, NonNegative

Schedule = Callable[[Optimizer, int], LRScheduler]  # (optimiser at the rate of the first update, number of updates)


@gin.configurable
def flat(optimizer: Optimizer, num_updates: int) -> LRScheduler:
    """A constant learning rate."""
    return LambdaLR(optimizer, lambda update: 1.0)


@gin.configurable
def step_decay(
    optimizer: Optimizer, num_updates: int, decay_every: Count = gin.REQUIRED, decay_rate: NonNegative = gin.REQUIRED
) -> LRScheduler:
    """The initial rate times decay_rate ** floor(update / decay_every)."""
    require_at_least(1, "step_decay", decay_every=decay_every)
    require_at_least(0, "step_decay", decay_rate=decay_rate)
    return StepLR(optimizer, decay_every, decay_rate)


@gin.configurable
def cosine_decay(optimizer: Optimizer, num_updates: int, minimum: NonNegative = 0.0) -> LRScheduler:
    """Cosine annealing from the initial rate to `minimum` after the last update.

    Raises UserError if `minimum` is above the initial rate; if it equals it, the rate is constant.
    """
    require_at_least(0, "cosine_decay", minimum=minimum)
    first = max(group["lr"] for group in optimizer.param_groups)
    if minimum > first:
        raise UserError(f"cosine_decay.minimum = {minimum!r} must not be above train.learning_rate = {first!r}")
    return CosineAnnealingLR(optimizer, max(num_updates, 1), minimum)
