"""What is done with operations: what is fastest alone and in first order is slow in second, or for stacked tasks."""

from contextlib import AbstractContextManager
from contextvars import ContextVar

from torch import Tensor

from alfa_md.system.context import set_in_context

LAUNCHING = ("cuda",)  # kinds of devices that are told of every operation

_again: ContextVar[bool] = ContextVar("again", default=False)
_stacked: ContextVar[bool] = ContextVar("stacked", default=False)
_plain: ContextVar[bool] = ContextVar("plain", default=False)


def differentiated_again() -> AbstractContextManager:
    """Inside, operations are chosen for gradients of gradients; they are the same functions."""
    return set_in_context(_again, True)


def several_tasks() -> AbstractContextManager:
    """Inside, operations are chosen for tensors that `vmap` has stacked: a kernel for every task."""
    return set_in_context(_stacked, True)


def plain_operations() -> AbstractContextManager:
    """Inside, operations are PyTorch's own in every order, to be compared with."""
    return set_in_context(_plain, True)


def second_order() -> bool:
    """Whether operations are to be those for gradients of gradients."""
    return _again.get() and not _plain.get()


def launching_is_slow(tensor: Tensor) -> bool:
    """Whether operations are to be few: each is launched on a device that would be done with it sooner."""
    return tensor.device.type in LAUNCHING and not (_stacked.get() or _plain.get())


def stacked() -> bool:
    """Whether operations are to be those for stacked tasks."""
    return _stacked.get() and not _plain.get()
