"""What a part of a learner gathers from all episodes of an update, and takes in at the update's end."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar

import torch
from torch import Tensor, nn

from alfa_md.system.context import set_in_context

_already: ContextVar[bool] = ContextVar("already", default=False)

Total = Callable[[Sequence[float]], list[float]]  # the sums over all processes of a run


class Gathering(nn.Module):
    """Sums of `number` values over an update; nothing is taken in before `settle`.

    What an episode sees thus depends on no other episode of its update: neither on the order of the episodes, nor on
    how many go through the learner at once or are with another process. The outer loop calls `discard` at the start
    of an update and `settle` at its end, if it is finite. Checkpoints lie between updates and hold no pending sums.
    """

    def __init__(self, number: int):
        super().__init__()
        self.register_buffer("pending", torch.zeros(number, dtype=torch.float64), persistent=False)

    def gather(self, values: Tensor) -> None:
        """Adds values [number] in training mode, under `vmap` those of every task; no gradient flows through them."""
        if self.training and not _already.get():
            Add.apply(self.pending.add_, values.detach().to(self.pending.dtype))

    def discard(self) -> None:
        """Forgets what is pending."""
        self.pending.zero_()

    def settle(self, total: Total) -> None:
        """Takes in what all processes have gathered; they call it together."""
        self.take_in(self.pending.new_tensor(total(self.pending.tolist())))
        self.discard()

    def take_in(self, sums: Tensor) -> None:
        raise TypeError(f"{type(self).__name__} makes nothing of what it gathers: define its take_in")


def gathered_already() -> AbstractContextManager:
    """Inside, nothing is gathered: the same inner step is taken once more."""
    return set_in_context(_already, True)


class Add(torch.autograd.Function):
    """Calls `add` with values; under `vmap` with their sum over the mapped dimension, which `add` cannot see itself."""

    @staticmethod
    def forward(add: Callable[[Tensor], Tensor], values: Tensor) -> None:
        add(values)

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: None) -> None:
        """Nothing is kept: there is no gradient."""

    @staticmethod
    def vmap(info, in_dims: tuple, add: Callable[[Tensor], Tensor], values: Tensor) -> tuple[None, None]:
        return Add.apply(add, values.sum(in_dims[1])), None
