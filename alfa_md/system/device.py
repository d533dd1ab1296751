"""The device of a run, and of a module."""

from itertools import chain

import torch
from torch import nn

from alfa_md.errors import UserError
from alfa_md.system.distributed import local_rank

CHOICES = ("auto", "cpu", "cuda")


def choose(name: str) -> torch.device:
    """The device of a --device flag: `auto` is CUDA if available; every process of a group takes its own GPU.

    Raises UserError if there is no GPU, or none for this process.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("--device=cuda: torch sees no CUDA GPU here; use --device=cpu or auto")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    if local_rank() >= torch.cuda.device_count():
        raise UserError(
            f"process {local_rank()} has no GPU of its own; torchrun --nproc_per_node={torch.cuda.device_count()}"
        )
    torch.cuda.set_device(local_rank())
    return torch.device("cuda", local_rank())


def device_of(module: nn.Module) -> torch.device:
    """The device of a module's tensors; the CPU if it has none."""
    return next((tensor.device for tensor in chain(module.parameters(), module.buffers())), torch.device("cpu"))
