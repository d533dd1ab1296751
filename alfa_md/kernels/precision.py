"""Precision of the backbone's arithmetic: float32, or bfloat16 by autocast.

Weights, moments, heads, losses and update rules are float32 in both.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import gin
import torch

Precision = Callable[[str], AbstractContextManager]  # device type -> context of the backbone's forward pass


@gin.configurable
def float32(device_type: str) -> AbstractContextManager:
    """No autocast. TF32 is left at PyTorch's default: on NVIDIA GPUs, cuDNN may use it."""
    return nullcontext()


@gin.configurable
def bfloat16(device_type: str) -> AbstractContextManager:
    """Convolutions and feature maps in bfloat16: half the memory, and faster on hardware with bfloat16 units."""
    return torch.autocast(device_type, dtype=torch.bfloat16)


def autocast_dtype(device_type: str) -> torch.dtype | None:
    """The dtype to which autocast currently casts the operands of a convolution; None if it is off."""
    on = torch.amp.is_autocast_available(device_type) and torch.is_autocast_enabled(device_type)
    return torch.get_autocast_dtype(device_type) if on else None


def without_autocast(device_type: str) -> AbstractContextManager:
    """Disables autocast inside, for operations of a backbone that need float32."""
    return torch.autocast(device_type, enabled=False) if autocast_dtype(device_type) else nullcontext()
