"""Whether gradients are about to be differentiated again: what is fastest in first order is slow in second."""

from contextlib import AbstractContextManager
from contextvars import ContextVar

from alfa_md.within import within

_again: ContextVar[bool] = ContextVar("again", default=False)
_plain: ContextVar[bool] = ContextVar("plain", default=False)


def differentiated_again() -> AbstractContextManager:
    """Inside, operations are chosen for gradients of gradients; they are the same functions."""
    return within(_again, True)


def plain_operations() -> AbstractContextManager:
    """Inside, operations are PyTorch's own in every order, to be compared with."""
    return within(_plain, True)


def second_order() -> bool:
    """Whether operations are to be those for gradients of gradients."""
    return _again.get() and not _plain.get()
