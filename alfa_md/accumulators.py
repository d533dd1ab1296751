"""Accumulators: running statistics over all episodes of an outer update, merged into a module at its end."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar

import torch
from torch import Tensor, nn

from alfa_md.kernels.function import Function
from alfa_md.system.context import set_in_context

_paused: ContextVar[bool] = ContextVar("paused", default=False)

Total = Callable[[Sequence[float]], list[float]]  # the sums over all processes of a run


class Accumulator(nn.Module):
    """Sums of `number` values over an outer update; nothing depends on them before `synchronize`.

    An episode therefore depends on no other episode of its update: neither on their order, nor on how many go through
    the learner together or on another process. The outer loop calls `reset` at the start of an update and `synchronize`
    at its end, if the update is finite. Checkpoints are written between updates and hold no pending sums.
    """

    def __init__(self, number: int):
        super().__init__()
        self.register_buffer("pending", torch.zeros(number, dtype=torch.float64), persistent=False)

    def update(self, values: Tensor) -> None:
        """Adds values [number] in training mode, under `vmap` those of every task; no gradient flows through them."""
        if self.training and not _paused.get():
            Add.apply(self.pending.add_, values.detach().to(self.pending.dtype))

    def reset(self) -> None:
        """Sets the pending sums to zero."""
        self.pending.zero_()

    def synchronize(self, total: Total) -> None:
        """Merges the sums of all processes, which call this together, and resets."""
        self.merge(self.pending.new_tensor(total(self.pending.tolist())))
        self.reset()

    def merge(self, sums: Tensor) -> None:
        """Takes the sums [number] of a finished update over into the module's own buffers."""
        raise TypeError(f"{type(self).__name__} does not use what it accumulates: define its merge")


def paused() -> AbstractContextManager:
    """Inside, accumulators ignore `update`: a recomputed inner step must not count twice."""
    return set_in_context(_paused, True)


class Add(Function):
    """Calls `add` with values; under `vmap` with their sum over the mapped dimension, which `add` cannot see itself."""

    @staticmethod
    def forward(add: Callable[[Tensor], Tensor], values: Tensor) -> None:
        add(values)

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: None) -> None:
        """Saves nothing: there is no gradient."""

    @staticmethod
    def vmap(info, in_dims: tuple, add: Callable[[Tensor], Tensor], values: Tensor) -> tuple[None, None]:
        return Add.apply(add, values.sum(in_dims[1])), None
