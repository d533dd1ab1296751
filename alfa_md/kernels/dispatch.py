"""Dispatch: which implementation an operation takes in first order, in double backward, and for stacked tasks.

All implementations compute the same function; only their cost differs.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from torch import Tensor

from alfa_md.kernels.attention import attention_by_formula
from alfa_md.system.within import within

LAUNCH_BOUND = ("cuda",)  # device types on which small operations cost their launch

_double_backward: ContextVar[bool] = ContextVar("double_backward", default=False)
_stacked_tasks: ContextVar[bool] = ContextVar("stacked_tasks", default=False)
_plain: ContextVar[bool] = ContextVar("plain", default=False)


@contextmanager
def double_backward() -> Iterator[None]:
    """Inside, operations are those whose gradients are cheap to differentiate again."""
    with attention_by_formula, within(_double_backward, True):
        yield


@contextmanager
def stacked_tasks() -> Iterator[None]:
    """Inside, operations are those for tensors that `vmap` has stacked, one kernel a task."""
    with attention_by_formula, within(_stacked_tasks, True):
        yield


def plain_operations() -> AbstractContextManager:
    """Inside, operations are PyTorch's own: the reference that the others are tested against."""
    return within(_plain, True)


def in_double_backward() -> bool:
    """True if gradients of gradients are going to be taken."""
    return _double_backward.get() and not _plain.get()


def in_stacked_tasks() -> bool:
    """True if tensors are stacks of several tasks."""
    return _stacked_tasks.get() and not _plain.get()


def launch_bound(tensor: Tensor) -> bool:
    """True if the number of operations is the cost, not their size: each is launched on a device that waits for it."""
    return tensor.device.type in LAUNCH_BOUND and not (_stacked_tasks.get() or _plain.get())
