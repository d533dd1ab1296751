"""Floating-point operations of a computation, counted from the dispatched PyTorch operations."""

from collections.abc import Callable

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Counter(TorchDispatchMode):
    """Counts the FLOP of convolutions and matrix products, gradients included; other operations are ignored."""

    def __init__(self):
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if count := flop_registry.get(func._overloadpacket):
            self.total += count(*args, **(kwargs or {}), out_val=result)
        return result


def gigaflop(run: Callable[[], None]) -> float:
    """GFLOP of one call of `run`."""
    with Counter() as counter:
        run()
    return counter.total / 1e9
