"""Normalisation of images: pixel values 0 to 255 (uint8 or float32) to the [-1, 1] that networks take."""

import numpy as np
import torch
from torch import Tensor


def normalise(pixels: Tensor) -> Tensor:
    """Pixel values 0 to 255, uint8 or float32, as float32 in [-1, 1] on the same device.

    Bit-identical to 2 (pixels / 255 - 1/2), the formula of the protocol: a factor of two changes no rounding.
    """
    half = torch.full(
        (), 127.5, device=pixels.device
    )  # a tensor: for a Python number CUDA multiplies by a rounded inverse
    return (pixels / half).sub_(1.0)


def normalise_in_place(pixels: np.ndarray) -> None:
    """`normalise` in place, on a float32 array: for arrays so small that creating tensors would dominate."""
    pixels /= 127.5
    pixels -= 1.0
