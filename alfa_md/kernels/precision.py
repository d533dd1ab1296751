"""The floating-point numbers that a backbone computes in. Weights, moments, heads, losses and rules stay in float32."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import gin
import torch

Precision = Callable[[str], AbstractContextManager]  # device type -> what a backbone's forward is run in


@gin.configurable
def float32(device_type: str) -> AbstractContextManager:
    """As the tensors are. On NVIDIA GPUs PyTorch's default lets cuDNN round to TF32; nothing is switched here."""
    return nullcontext()


@gin.configurable
def bfloat16(device_type: str) -> AbstractContextManager:
    """Convolutions and maps in bfloat16: half the memory, and faster where the processor multiplies such numbers."""
    return torch.autocast(device_type, dtype=torch.bfloat16)


def cast_to(device_type: str) -> torch.dtype | None:
    """What autocast turns the operands of a convolution into just now; None where it is off."""
    on = torch.amp.is_autocast_available(device_type) and torch.is_autocast_enabled(device_type)
    return torch.get_autocast_dtype(device_type) if on else None


def uncast(device_type: str) -> AbstractContextManager:
    """For what needs all digits within a backbone: no autocast inside."""
    return torch.autocast(device_type, enabled=False) if cast_to(device_type) else nullcontext()
