"""Pictures at rest and in motion: grey levels from 0 to 255, and the values in [-1, 1] that networks see."""

import numpy as np
import torch
from torch import Tensor


def scaled(levels: Tensor) -> Tensor:
    """Grey levels 0 to 255, uint8 or float32, as float32 values in [-1, 1], on the same device.

    To the last bit 2 (levels / 255 - 1/2), as the protocol has it: a factor of two changes no rounding.
    """
    half = torch.full((), 127.5, device=levels.device)  # a tensor: by a number CUDA multiplies with a rounded inverse
    return (levels / half).sub_(1.0)


def scale_in_place(levels: np.ndarray) -> None:
    """The same in place, of float32 levels: for pieces so small that to make tensors of them would cost more."""
    levels /= 127.5
    levels -= 1.0
