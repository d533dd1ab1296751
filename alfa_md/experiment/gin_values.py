"""Values as gin can write them: infinity by a literal, NumPy's scalars as Python's; others are refused."""

from math import isinf
from typing import Any

import gin
import numpy as np
from gin.config import ConfigurableReference

LITERALS = (bool, int, float, complex, str, bytes, type(None))


class _Infinity(float):
    """An infinite number, written as a literal that is read as one."""

    def __repr__(self) -> str:
        return "1e999" if self > 0 else "-1e999"


def is_writable(value: Any) -> bool:
    """True if `writable` returns an equal value."""
    try:
        writable(value)
    except (ValueError, RecursionError):
        return False
    return True


def writable(value: Any) -> Any:
    """An equal value that gin can write. Raises ValueError, with the type, if there is none."""
    if isinstance(value, ConfigurableReference):
        return value
    if type(value) in (list, tuple):
        return type(value)(map(writable, value))
    if type(value) is dict:
        return {writable(key): writable(item) for key, item in value.items()}
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) is float and isinf(value):
        return _Infinity(value)
    if type(value) in LITERALS and _reads_again(value):
        return value
    raise ValueError("nan" if type(value) is float else f"a {type(value).__name__}")


def _reads_again(value: Any) -> bool:
    try:
        return gin.config._is_literally_representable(value)
    except ValueError:  # an integer of more digits than Python converts
        return False


def literal(value: Any) -> str:
    """A value as a stored configuration has it, or else as Python writes it."""
    return repr(writable(value) if is_writable(value) else value)
