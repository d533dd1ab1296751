"""Fuzzing: runs a parser on random mutations of valid inputs.

Drawing an input takes longer than parsing it, so NEIGHBOURS more inputs are derived from every input of bytes.
"""

import functools
import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from alfa_md.errors import UserError

QUICK = 50  # drawn inputs of every test in the fast suite
NEIGHBOURS = 8
SPARE_MEMORY = 2**30  # bytes that all inputs together may take


def examples(slow: int) -> pytest.MarkDecorator:
    """Parametrises a test by the `number` of random inputs: few in the fast suite, `slow` in the slow one."""
    return pytest.mark.parametrize("number", [QUICK, pytest.param(slow, marks=pytest.mark.slow)])


def fuzz(check: Callable[[Any], None], inputs: st.SearchStrategy, number: int) -> None:
    """Calls `check` on `number` random inputs and their neighbours, with a fixed seed and bounded memory."""
    profile = settings(
        max_examples=number,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )

    def check_all(data: Any) -> None:
        for each in neighbours(data) if isinstance(data, bytes) else [data]:
            try:
                check(each)
            except Exception:
                note(f"the input: {each!r}")
                raise

    with limited_memory():
        profile(given(inputs)(check_all))()


def neighbours(data: bytes) -> Iterator[bytes]:
    """Yields the input, and versions with one bit flipped or the rest cut off at evenly spaced positions."""
    yield data
    for k in range(NEIGHBOURS // 2):
        place = len(data) * k * 2 // NEIGHBOURS
        yield data[:place]
        yield _flip(data, place, k, b"")


def parsed(parser: Callable, *arguments: Any) -> Any:
    """The result of `parser`, or None for a one-line UserError. Other exceptions pass through."""
    try:
        return parser(*arguments)
    except UserError as error:
        message = str(error)
        assert message and message.isprintable(), message
        return None


@contextmanager
def limited_memory() -> Iterator[None]:
    """Limits the further address space of this process to SPARE_MEMORY, if the system supports it."""
    if sys.platform != "linux":
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + SPARE_MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def mutated(valid: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Valid inputs with up to four mutations: flipped bits, truncation, and copied, inserted or deleted parts."""
    steps = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4)  # one number a change: drawing is what costs
    return st.builds(lambda data, numbers: functools.reduce(_changed, numbers, data), st.sampled_from(valid), steps)


def _changed(data: bytes, number: int) -> bytes:
    """Applies one mutation; `number` encodes its kind, range and bytes."""
    number, kind = divmod(number, len(CHANGES))
    number, a = divmod(number, len(data) + 1)
    number, b = divmod(number, len(data) + 1)
    return CHANGES[kind](data, min(a, b), max(a, b), number.to_bytes(8, "little").rstrip(b"\0"))


def _flip(data: bytes, first: int, second: int, extra: bytes) -> bytes:
    flipped = bytearray(data)
    if first < len(data):
        flipped[first] ^= 1 << second % 8
    return bytes(flipped)


def _truncate(data: bytes, first: int, second: int, extra: bytes) -> bytes:
    return data[:first]


def _insert(data: bytes, first: int, second: int, extra: bytes) -> bytes:
    return data[:first] + extra + data[first:]


def _remove(data: bytes, first: int, second: int, extra: bytes) -> bytes:
    return data[:first] + data[second:]


def _repeat(data: bytes, first: int, second: int, extra: bytes) -> bytes:
    return data[:second] + data[first:]


def _extreme(data: bytes, first: int, second: int, extra: bytes) -> bytes:
    return data[:first] + b"\xff" * len(extra) + data[first + len(extra) :]


CHANGES = (_flip, _truncate, _insert, _remove, _repeat, _extreme)
