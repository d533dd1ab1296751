"""A context variable that has a value for the time of a block, as all settings here do that calls hand down."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def within(variable: ContextVar[T], value: T) -> Iterator[T]:
    """Inside, `variable` has `value`, which is yielded; afterwards what it had before."""
    token = variable.set(value)
    try:
        yield value
    finally:
        variable.reset(token)
