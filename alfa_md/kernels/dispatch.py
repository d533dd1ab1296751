"""Dispatch: which implementation an operation takes in first order, in double backward, and for stacked tasks.

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
    """Inside, operations are those whose gradients are cheap to differentiate again."""
    with attention_by_formula, set_in_context(_double_backward, True):
        yield


@contextmanager
def stacked_tasks() -> Iterator[None]:
    """Inside, operations are those for tensors that `vmap` has stacked, one kernel a task."""
    with attention_by_formula, set_in_context(_stacked_tasks, True):
        yield


def plain_operations() -> AbstractContextManager:
    """Inside, operations are PyTorch's own: the reference that the others are tested against."""
    return set_in_context(_plain, True)


def in_double_backward() -> bool:
    """True if gradients of gradients are going to be taken."""
    return _double_backward.get() and not _plain.get()


def in_stacked_tasks() -> bool:
    """True if tensors are stacks of several tasks."""
    return _stacked_tasks.get() and not _plain.get()


def in_plain_operations() -> bool:
    """True while PyTorch's own operations are asked for."""
    return _plain.get()


def launch_bound(tensor: Tensor) -> bool:
    """True if the number of operations is the cost, not their size: each is launched on a device that waits for it."""
    return tensor.device.type in LAUNCH_BOUND and not (_stacked_tasks.get() or _plain.get())
