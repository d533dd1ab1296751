"""Several processes, started by torchrun, that share the episodes of one run.

Process r of n takes whole episodes: of those of an update, or of a portion of an evaluation, every n-th from r on.
What every process then knows is the same, so that all take the same decisions; the first one writes.
"""

import gc
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, zip_longest
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn

from alfa_md.system import progress

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
    """The processes that torchrun has started. Raises SystemExit where another one is lost."""

    def __init__(self):
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    def total(self, values: Sequence[float]) -> list[float]:
        sums = torch.tensor(values, dtype=torch.float64)
        with others_alive(self):
            dist.all_reduce(sums)
        return sums.tolist()

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        parameters = list(parameters)
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        present = gradients[0].new_tensor([p.grad is not None for p in parameters])
        flat = torch.cat([present, *(gradient.flatten() for gradient in gradients)])  # one message, not one a tensor
        with others_alive(self):
            dist.all_reduce(flat)
        present, *parts = flat.split([len(parameters), *(p.numel() for p in parameters)])
        for parameter, part, somewhere in zip(parameters, parts, present.tolist(), strict=True):
            # in the parameter's memory format, as one process alone has it: norms add up in the order of memory
            parameter.grad = torch.empty_like(parameter).copy_(part.view_as(parameter)) if somewhere else None

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
    """One line instead of a traceback where another process is gone: its own last line says why.

    The line is printed at once, for torchrun is about to end this process too.
    """
    try:
        yield
    except RuntimeError as error:
        what = f"process {group.rank} of {group.size} lost another one, whose last message says why"
        print(f"error: {what}; the same command goes on from the last checkpoint", file=sys.stderr, flush=True)
        raise SystemExit(1) from error


@contextmanager
def joined() -> Iterator[Group]:
    """The group that torchrun has made this process part of, else a process alone; only the first one prints."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield ALONE
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    group = Processes()
    progress.CONSOLE.quiet = not group.first
    try:
        yield group
    finally:
        progress.CONSOLE.quiet = False
        dist.destroy_process_group()
        gc.collect()  # what still holds the group would end its threads too late, by an abort, now and then


def local_rank() -> int:
    """The number of this process on its machine, and of the GPU that it uses."""
    return int(os.environ.get("LOCAL_RANK", 0))
