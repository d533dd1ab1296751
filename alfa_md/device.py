"""Which device a run uses."""

import torch

from alfa_md.errors import UserError

CHOICES = ("auto", "cpu", "cuda")


def choose(name: str) -> torch.device:
    """`auto` is CUDA where there is one. Raises UserError for cuda without a GPU."""
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("--device=cuda: torch sees no CUDA GPU here; use --device=cpu or auto")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and torch.cuda.is_available()) else "cpu")
