"""Whether gradients are about to be differentiated again: what is fastest in first order is slow in second."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_again: ContextVar[bool] = ContextVar("again", default=False)


@contextmanager
def differentiated_again() -> Iterator[None]:
    """Inside, operations are chosen for gradients of gradients; they are the same functions."""
    token = _again.set(True)
    try:
        yield
    finally:
        _again.reset(token)


def second_order() -> bool:
    """Whether a caller has said so."""
    return _again.get()
