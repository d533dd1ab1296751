"""Pictures at rest and in motion: grey levels from 0 to 255, and the values in [-1, 1] that networks see."""

import torch
from torch import Tensor


def scaled(levels: Tensor) -> Tensor:
    """Grey levels 0 to 255, uint8 or float32, as float32 values in [-1, 1], on the same device."""
    most = torch.full((), 255.0, device=levels.device)  # a tensor: by a number CUDA multiplies with a rounded inverse
    return 2.0 * (levels / most - 0.5)
