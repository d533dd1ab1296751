"""Data parallelism over episodes for processes started by torchrun.

Process r of n takes every n-th episode from r on, of an update or of a portion of an evaluation. Results are reduced or
gathered on all processes, which therefore take the same decisions; rank 0 writes the files.
"""

import gc
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, zip_longest
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn

from alfa_md.system import progress

T = TypeVar("T")


class ProcessGroup:
    """Collective operations of the processes of a run; this base class is a single process."""

    rank, size = 0, 1

    @property
    def is_first(self) -> bool:
        """True for rank 0, the process that writes files."""
        return self.rank == 0

    def shard(self, items: Sequence[T]) -> Sequence[T]:
        """This process's items of a sequence that all processes have."""
        return items[self.rank :: self.size]

    def all_reduce(self, values: Sequence[float]) -> list[float]:
        """The elementwise sums over all processes."""
        return list(values)

    def any(self, condition: bool) -> bool:
        """True if the condition holds in any process."""
        return self.all_reduce([float(condition)])[0] > 0

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces every gradient by its sum over all processes."""

    def all_gather(self, own: list[T]) -> list[T]:
        """The items of all processes in the order from before `shard`."""
        return own

    def broadcast(self, value: T) -> T:
        """The value that rank 0 holds."""
        return value


SINGLE_PROCESS = ProcessGroup()


class TorchrunGroup(ProcessGroup):
    """The processes started by torchrun. Every collective raises SystemExit if another process is lost."""

    def __init__(self):
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    def all_reduce(self, values: Sequence[float]) -> list[float]:
        sums = torch.tensor(values, dtype=torch.float64)
        with exit_if_process_lost(self):
            dist.all_reduce(sums)
        return sums.tolist()

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        parameters = list(parameters)
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        present = gradients[0].new_tensor([p.grad is not None for p in parameters])
        flat = torch.cat([present, *(gradient.flatten() for gradient in gradients)])  # one message for all tensors
        with exit_if_process_lost(self):
            dist.all_reduce(flat)
        present, *parts = flat.split([len(parameters), *(p.numel() for p in parameters)])
        for parameter, part, has_gradient in zip(parameters, parts, present.tolist(), strict=True):
            # in the parameter's memory format, as in a single process: norms are summed in memory order
            parameter.grad = torch.empty_like(parameter).copy_(part.view_as(parameter)) if has_gradient else None

    def all_gather(self, own: list[T]) -> list[T]:
        shares: list = [None] * self.size
        with exit_if_process_lost(self):
            dist.all_gather_object(shares, own)
        absent = object()
        return [item for item in chain(*zip_longest(*shares, fillvalue=absent)) if item is not absent]

    def broadcast(self, value: T) -> T:
        message = [value]
        with exit_if_process_lost(self):
            dist.broadcast_object_list(message)
        return message[0]


@contextmanager
def exit_if_process_lost(group: ProcessGroup) -> Iterator[None]:
    """Turns the error of a collective into one line and SystemExit if another process is gone.

    The line is flushed at once, because torchrun is about to end this process too.
    """
    try:
        yield
    except RuntimeError as error:
        what = f"process {group.rank} of {group.size} lost another one, whose last message says why"
        print(f"error: {what}; the same command goes on from the last checkpoint", file=sys.stderr, flush=True)
        raise SystemExit(1) from error


@contextmanager
def process_group() -> Iterator[ProcessGroup]:
    """The process group set up by torchrun, or SINGLE_PROCESS; only rank 0 prints to the console."""
    if not in_torchrun():
        yield SINGLE_PROCESS
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    group = TorchrunGroup()
    progress.CONSOLE.quiet = not group.is_first
    try:
        yield group
    finally:
        progress.CONSOLE.quiet = False
        dist.destroy_process_group()
        gc.collect()  # remaining references would end the group's threads late, occasionally with an abort


def in_torchrun() -> bool:
    """True in a process started by torchrun."""
    return {"TORCHELASTIC_RUN_ID", "RANK"} <= os.environ.keys()


def shutdown_seconds() -> int:
    """Seconds after SIGTERM at which torchrun kills this process: by its flag, its environment variable, or 30."""
    try:
        words = Path(f"/proc/{os.getppid()}/cmdline").read_text("utf-8", errors="replace")
    except OSError:  # not Linux
        words = ""
    flag = re.search(r"--shutdown[-_]timeout[=\0](\d+)", words)
    return int(flag[1] if flag else os.environ.get("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "30"))


def local_rank() -> int:
    """The index of this process on its machine, and of the GPU that it uses."""
    return int(os.environ.get("LOCAL_RANK", 0))
