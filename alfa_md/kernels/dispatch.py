"""Dispatch between implementations of an operation: for first order, double backward and stacked tasks.

All implementations compute the same function; only their cost differs.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from torch import Tensor

from alfa_md.kernels.attention import attention_by_formula
from alfa_md.system.context import set_in_context

LAUNCH_BOUND = ("cuda",)  # device types on which small operations cost their launch

_double_backward: ContextVar[bool] = ContextVar("double_backward", default=False)
_stacked_tasks: ContextVar[bool] = ContextVar("stacked_tasks", default=False)
_plain: ContextVar[bool] = ContextVar("plain", default=False)


@contextmanager
def double_backward() -> Iterator[None]:
    """Inside, operations use implementations that are fast in double backward."""
    with attention_by_formula, set_in_context(_double_backward, True):
        yield


@contextmanager
def stacked_tasks() -> Iterator[None]:
    """Inside, operations use implementations for tensors that `vmap` has stacked over tasks."""
    with attention_by_formula, set_in_context(_stacked_tasks, True):
        yield


def plain_operations() -> AbstractContextManager:
    """Inside, operations use PyTorch's own implementations: the reference that the others are tested against."""
    return set_in_context(_plain, True)


def in_double_backward() -> bool:
    """True inside `double_backward`, where gradients will be differentiated again."""
    return _double_backward.get() and not _plain.get()


def in_stacked_tasks() -> bool:
    """True inside `stacked_tasks`."""
    return _stacked_tasks.get() and not _plain.get()


def in_plain_operations() -> bool:
    """True inside `plain_operations`."""
    return _plain.get()


def launch_bound(tensor: Tensor) -> bool:
    """True on a device type where small operations are launch-bound, so that fewer operations are faster."""
    return tensor.device.type in LAUNCH_BOUND and not (_stacked_tasks.get() or _plain.get())
