"""Safe unpickling of published data sets: plain containers, byte strings and NumPy arrays only.

A pickle names functions for its reader to call, so that loading an untrusted one can execute arbitrary code. Here names
are looked up in an allow-list of replacements that build plain containers, byte strings and NumPy arrays of numbers,
strings or objects. Files of Python 2 are supported, with strings decoded as Latin-1.
"""

import io
import math
import mmap
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from alfa_md.data.images.pickle_claims import refuse_claims
from alfa_md.errors import UserError

PLAIN = re.compile(r"[<>|=]?[?biufSUO]\d*")  # allowed data types in NumPy's notation; no structured types


def read_pickle(path: Path) -> Any:
    """The content of a pickle file.

    Raises UserError naming the file if it cannot be read, is damaged, or contains anything but plain data.
    """
    try:
        with path.open("rb") as file:
            if path.stat().st_size:
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    refuse_claims(data, path)
            return _load(file, path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check that it is a file of yours") from error


def parse_pickle(data: bytes, where: Path | str) -> Any:
    """`read_pickle` for bytes in memory; `where` names them in errors."""
    refuse_claims(data, where)
    return _load(io.BytesIO(data), where)


def _load(file: BinaryIO, where: Path | str) -> Any:
    try:
        return _PlainUnpickler(file, where).load()
    except (UserError, OSError):
        raise
    except Exception as error:  # a damaged pickle can raise nearly any exception
        raise UserError(
            f"{where}: is not a whole pickle of plain data ({type(error).__name__}); download the file again"
        ) from error


class _Function:
    """Replacement for an allowed function. A pickle can call it and pass it on, but not change its state."""

    def __init__(self, call: Callable) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a function was given a state")


class _DataType:
    """A NumPy data type; structured types, which could hide pointers in bytes, are refused."""

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
    """An array that can be filled once, with exactly as many bytes or objects as its shape needs."""

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
    """A contiguous array of pickle protocol 5; `axes` (order "K") permutes the axes in memory."""
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
    """Bytes as Python 3 pickles them for Python 2."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"encoding {encoding!r}")
    return text.encode(encoding)


_ALLOWED = {
    ("builtins", "bytes"): _Function(lambda: b""),
    ("builtins", "list"): _Function(lambda: []),
    ("codecs", "encode"): _Function(_latin1),
    ("collections", "OrderedDict"): _Function(dict),  # takes its entries, in Python 2
    ("collections", "defaultdict"): _Function(lambda factory=None: {}),
    ("numpy", "dtype"): _Function(_DataType),
    ("numpy", "ndarray"): _Function(_empty_array),
    ("numpy.core.multiarray", "_reconstruct"): _Function(_empty_array),
    ("numpy.core.multiarray", "scalar"): _Function(_scalar),
    ("numpy.core.numeric", "_frombuffer"): _Function(_buffer_array),
}
_OTHER_NAMES = {  # module names in Python 2, NumPy 2 and C
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
