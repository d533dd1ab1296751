"""Several processes, started by torchrun, that share the episodes of one run.

Process r of n takes whole episodes: those whose number is r modulo n. What every process then knows is the same, so
that all take the same decisions; the first one writes.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, zip_longest
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn

from alfa_md import progress
from alfa_md.errors import UserError

T = TypeVar("T")


class Group:
    """The processes of a run; this class itself is a process alone."""

    rank, size = 0, 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """This process's part of the items that all of them know."""
        return items[self.rank :: self.size]

    def total(self, values: Sequence[float]) -> list[float]:
        """The sums over all processes."""
        return list(values)

    def any(self, condition: bool) -> bool:
        """Whether the condition holds in some process."""
        return self.total([float(condition)])[0] > 0

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Makes every gradient the sum over all processes."""

    def collect(self, own: list[T]) -> list[T]:
        """All items in their order, of which every process has its `share`."""
        return own

    def agreed(self, value: T) -> T:
        """What the first process holds, in all of them."""
        return value


ALONE = Group()


class Processes(Group):
    """The processes that torchrun has started. Raises UserError where another one is lost."""

    def __init__(self):
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    def total(self, values: Sequence[float]) -> list[float]:
        sums = torch.tensor(values, dtype=torch.float64)
        with others_alive(self):
            dist.all_reduce(sums)
        return sums.tolist()

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])  # one message instead of one a tensor
        with others_alive(self):
            dist.all_reduce(flat)
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def collect(self, own: list[T]) -> list[T]:
        shares: list = [None] * self.size
        with others_alive(self):
            dist.all_gather_object(shares, own)
        absent = object()
        return [item for item in chain(*zip_longest(*shares, fillvalue=absent)) if item is not absent]

    def agreed(self, value: T) -> T:
        message = [value]
        with others_alive(self):
            dist.broadcast_object_list(message)
        return message[0]


@contextmanager
def others_alive(group: Group) -> Iterator[None]:
    """One line instead of a traceback where another process is gone: its own last line says why."""
    try:
        yield
    except RuntimeError as error:
        raise UserError(
            f"process {group.rank} of {group.size} lost another one, whose last message says why; "
            "the same command goes on from the last checkpoint"
        ) from error


@contextmanager
def joined() -> Iterator[Group]:
    """The group that torchrun has made this process part of, else a process alone; only the first one prints."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield ALONE
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank())
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    group = Processes()
    progress.CONSOLE.quiet = not group.first
    try:
        yield group
    finally:
        progress.CONSOLE.quiet = False
        dist.destroy_process_group()


def local_rank() -> int:
    """The number of this process on its machine, and of the GPU that it uses."""
    return int(os.environ.get("LOCAL_RANK", 0))
