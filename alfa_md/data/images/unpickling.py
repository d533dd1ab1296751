"""Pickles of published data sets, opened without running what they say.

A pickle names functions for its reader to call, so that a hostile one can do anything. Here a name is looked up in a
short list, and what the list holds are stand-ins of our own: plain containers, byte strings and NumPy arrays of plain
numbers, strings or objects. Files of Python 2 are read too, their strings as Latin-1.
"""

import io
import math
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from alfa_md.errors import UserError

PLAIN = re.compile(r"[<>|=]?[?biufSUO]\d*")  # the data types allowed, as NumPy writes them; no records


def read_pickle(path: Path) -> Any:
    """What the file holds.

    Raises UserError naming the file if it cannot be read, is damaged, or names anything beyond plain data.
    """
    try:
        with path.open("rb") as file:
            return _load(file, path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check that it is a file of yours") from error


def parse_pickle(data: bytes, where: Path | str) -> Any:
    """As `read_pickle`, of bytes at hand; `where` is what an error calls them."""
    return _load(io.BytesIO(data), where)


def _load(file: BinaryIO, where: Path | str) -> Any:
    try:
        return _PlainUnpickler(file, where).load()
    except (UserError, OSError):
        raise
    except Exception as error:  # a damaged pickle makes its reader raise nearly anything
        raise UserError(
            f"{where}: is not a whole pickle of plain data ({type(error).__name__}); download the file again"
        ) from error


class _Function:
    """What a name of the list stands for. A pickle may call it and pass it on, but not change it."""

    def __init__(self, call: Callable) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a function was given a state")


class _DataType:
    """A NumPy data type; records, which could hide pointers in bytes, are refused."""

    def __init__(self, text: str, align: bool = False, copy: bool = False) -> None:
        if not PLAIN.fullmatch(text):
            raise pickle.UnpicklingError(f"data type {text!r}")
        self.dtype = np.dtype(text)

    def __setstate__(self, state: tuple) -> None:
        _, order, *structure = state[:5]
        if order not in ("<", ">", "|", "=") or structure != [None, None, None]:
            raise pickle.UnpicklingError(f"data type {self.dtype} with a structure")
        self.dtype = self.dtype.newbyteorder(order)


class _Array(np.ndarray):
    """An array that is filled once, and only with as many bytes or objects as its shape needs."""

    def __setstate__(self, state: tuple) -> None:
        version, shape, data_type, fortran_order, content = state
        if not isinstance(data_type, _DataType) or self.shape != (0,):
            raise pickle.UnpicklingError("an array of no known data type, or one filled twice")
        dtype = data_type.dtype
        if isinstance(content, str):
            content = content.encode("latin-1")
        kind, size = (list, 1) if dtype.hasobject else (bytes, dtype.itemsize)
        if not (isinstance(content, kind) and size and min(shape, default=0) >= 0):
            raise pickle.UnpicklingError("an array of an impossible size or content")
        if len(content) != math.prod(shape) * size:
            raise pickle.UnpicklingError("an array with another number of entries than its shape")
        super().__setstate__((version, shape, dtype, fortran_order, content))


def _empty_array(*_: Any) -> _Array:
    return _Array.__new__(_Array, (0,), "b")


def _buffer_array(buffer: bytes | bytearray, data_type: _DataType, shape, order: str, axes=None) -> np.ndarray:
    """As protocol 5 writes contiguous arrays; order "K" with `axes` is a permutation of the axes in memory."""
    if not isinstance(buffer, bytes | bytearray):
        raise pickle.UnpicklingError("an array whose content is not bytes")
    array = np.frombuffer(buffer, dtype=data_type.dtype)
    if axes is None:
        return array.reshape(shape, order=order)
    return array.reshape(shape).transpose(axes)


def _scalar(data_type: _DataType, content: bytes | str) -> Any:
    content = content.encode("latin-1") if isinstance(content, str) else content
    return np.frombuffer(content, dtype=data_type.dtype, count=1)[0]


def _latin1(text: str, encoding: str) -> bytes:
    """Bytes, as Python 3 writes them for Python 2."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"encoding {encoding!r}")
    return text.encode(encoding)


_ALLOWED = {
    ("builtins", "bytes"): _Function(lambda: b""),
    ("builtins", "list"): _Function(lambda: []),
    ("codecs", "encode"): _Function(_latin1),
    ("collections", "OrderedDict"): _Function(dict),  # with its entries, in Python 2
    ("collections", "defaultdict"): _Function(lambda factory=None: {}),
    ("numpy", "dtype"): _Function(_DataType),
    ("numpy", "ndarray"): _Function(_empty_array),
    ("numpy.core.multiarray", "_reconstruct"): _Function(_empty_array),
    ("numpy.core.multiarray", "scalar"): _Function(_scalar),
    ("numpy.core.numeric", "_frombuffer"): _Function(_buffer_array),
}
_OTHER_NAMES = {  # of the modules, in Python 2, NumPy 2 and C
    "__builtin__": "builtins",
    "_codecs": "codecs",
    "numpy._core.multiarray": "numpy.core.multiarray",
    "numpy._core.numeric": "numpy.core.numeric",
}


class _PlainUnpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, where: Path | str) -> None:
        super().__init__(file, encoding="latin-1")
        self._where = where

    def find_class(self, module: str, name: str) -> _Function:
        try:
            return _ALLOWED[_OTHER_NAMES.get(module, module), name]
        except KeyError:
            raise UserError(
                f"{self._where}: asks for {module}.{name}, which is not plain data and was not run; "
                "get the file from a source you trust"
            ) from None
