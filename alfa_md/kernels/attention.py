"""Attention by its formula, softmax(Q K^T / sqrt(d)) V, in place of PyTorch's fused kernels.

The fused kernels have no second derivative, and vmap runs them in a loop over tasks. PyTorch's settings for them are
global to the process.
"""

from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from torch.backends import cuda, mha


class Setting(NamedTuple):
    """A global setting of PyTorch and its temporary value."""

    get: Callable[[], bool]
    set: Callable[[bool], None]
    value: bool


class TemporarySettings:
    """Context manager of global settings: temporary values while any thread is inside, the previous ones afterwards.

    Reentrant. Other threads use the formula too in the meantime, with the same numbers.
    """

    def __init__(self, *settings: Setting):
        self.settings, self.lock, self.inside, self.before = settings, Lock(), 0, []

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside:
                self.before = [get() for get, _, _ in self.settings]
                for _, put, value in self.settings:
                    put(value)
            self.inside += 1

    def __exit__(self, *raised: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                for (_, put, _), value in zip(self.settings, self.before, strict=True):
                    put(value)


attention_by_formula = TemporarySettings(
    Setting(cuda.math_sdp_enabled, cuda.enable_math_sdp, True),
    Setting(cuda.flash_sdp_enabled, cuda.enable_flash_sdp, False),
    Setting(cuda.mem_efficient_sdp_enabled, cuda.enable_mem_efficient_sdp, False),
    Setting(cuda.cudnn_sdp_enabled, cuda.enable_cudnn_sdp, False),
    Setting(mha.get_fastpath_enabled, mha.set_fastpath_enabled, False),  # nn.TransformerEncoderLayer in evaluation
)
