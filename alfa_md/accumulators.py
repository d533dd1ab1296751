"""Accumulators: sums over all episodes of an outer update, merged into buffers at its end."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar

import torch
from torch import Tensor, nn

from alfa_md.kernels.function import Function
from alfa_md.system.context import set_in_context

_paused: ContextVar[bool] = ContextVar("paused", default=False)

Total = Callable[[Sequence[float]], list[float]]  # values -> their sums over all processes of a run


class Accumulator(nn.Module):
    """Sums of `number` values over an outer update; nothing depends on them before `synchronize`.

    Episodes of an update are therefore independent of each other, of their order, and of batching and processes. The
    outer loop calls `reset` at the start of an update and `synchronize` at its end, if all values are finite.
    Checkpoints are written between updates and have no pending sums.
    """

    def __init__(self, number: int):
        super().__init__()
        self.register_buffer("pending", torch.zeros(number, dtype=torch.float64), persistent=False)

    def update(self, values: Tensor) -> None:
        """Adds detached values [number] in training mode; under `vmap`, those of all tasks."""
        if self.training and not _paused.get():
            AddToPending.apply(self.pending.add_, values.detach().to(self.pending.dtype))

    def reset(self) -> None:
        """Sets the pending sums to zero."""
        self.pending.zero_()

    def synchronize(self, total: Total) -> None:
        """Merges the sums over all processes, then resets; a collective call."""
        self.merge(self.pending.new_tensor(total(self.pending.tolist())))
        self.reset()

    def merge(self, sums: Tensor) -> None:
        """Updates the module's buffers by the sums [number] of a finished update."""
        raise TypeError(f"{type(self).__name__} does not use what it accumulates: define its merge")


def paused() -> AbstractContextManager:
    """Inside, accumulators ignore `update`: a recomputed inner step must not count twice."""
    return set_in_context(_paused, True)


class AddToPending(Function):
    """Calls `add(values)`; under `vmap`, with the sum over the mapped dimension, which `add` alone would not see."""

    @staticmethod
    def forward(add: Callable[[Tensor], Tensor], values: Tensor) -> None:
        add(values)

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: None) -> None:
        """Not differentiable: saves nothing."""

    @staticmethod
    def vmap(info, in_dims: tuple, add: Callable[[Tensor], Tensor], values: Tensor) -> tuple[None, None]:
        return AddToPending.apply(add, values.sum(in_dims[1])), None
