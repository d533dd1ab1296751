"""Attention by its formula, softmax(Q K^T / sqrt(d)) V, in place of PyTorch's fused kernels.

The fused kernels have no second derivative, and vmap takes them one task at a time. PyTorch's switches for them belong
to the whole process.
"""

from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from torch.backends import cuda, mha


class Switch(NamedTuple):
    """A setting of PyTorch, and the value that it takes here."""

    get: Callable[[], bool]
    set: Callable[[bool], None]
    value: bool


class Switched:
    """A context manager: the switches have their values while any thread is inside, then those of before.

    It may be entered again inside. Attention in other threads gives the same numbers meanwhile, by the formula too.
    """

    def __init__(self, *switches: Switch):
        self.switches, self.lock, self.inside, self.before = switches, Lock(), 0, []

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside:
                self.before = [get() for get, _, _ in self.switches]
                for _, put, value in self.switches:
                    put(value)
            self.inside += 1

    def __exit__(self, *raised: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                for (_, put, _), value in zip(self.switches, self.before, strict=True):
                    put(value)


attention_by_formula = Switched(
    Switch(cuda.math_sdp_enabled, cuda.enable_math_sdp, True),
    Switch(cuda.flash_sdp_enabled, cuda.enable_flash_sdp, False),
    Switch(cuda.mem_efficient_sdp_enabled, cuda.enable_mem_efficient_sdp, False),
    Switch(cuda.cudnn_sdp_enabled, cuda.enable_cudnn_sdp, False),
    Switch(mha.get_fastpath_enabled, mha.set_fastpath_enabled, False),  # nn.TransformerEncoderLayer in evaluation
)
