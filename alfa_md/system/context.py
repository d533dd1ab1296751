"""Settings that hold for a block and everything called from it, kept in context variables."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def set_in_context(variable: ContextVar[T], value: T) -> Iterator[T]:
    """Sets `variable` to `value` for the block and restores it afterwards; yields `value`."""
    token = variable.set(value)
    try:
        yield value
    finally:
        variable.reset(token)
