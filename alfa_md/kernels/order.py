"""Whether gradients are about to be differentiated again: what is fastest in first order is slow in second."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_again: ContextVar[bool] = ContextVar("again", default=False)
_plain: ContextVar[bool] = ContextVar("plain", default=False)


@contextmanager
def differentiated_again() -> Iterator[None]:
    """Inside, operations are chosen for gradients of gradients; they are the same functions."""
    token = _again.set(True)
    try:
        yield
    finally:
        _again.reset(token)


@contextmanager
def plain_operations() -> Iterator[None]:
    """Inside, operations are PyTorch's own in every order, to be compared with."""
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def second_order() -> bool:
    """Whether operations are to be those for gradients of gradients."""
    return _again.get() and not _plain.get()
