"""A pickled dictionary of a published data set, each field checked as it is read."""

from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from alfa_md.data.images.unpickling import read_pickle
from alfa_md.errors import UserError


class PickledFields:
    """The fields of one pickle; every method raises UserError naming `where` and the field.

    Names of fields may be bytes, as files of Python 2 have them when they were written anew.
    """

    def __init__(self, where: Path | str, content: Any) -> None:
        self.where = where
        if not isinstance(content, dict):
            raise UserError(f"{where}: holds no dictionary but {_kind(content)}; download the file again")
        self._fields = {as_text(name): value for name, value in content.items()}

    def fail(self, name: str, problem: str) -> NoReturn:
        raise UserError(f"{self.where}: field {name!r} {problem}; download the file again")

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def get(self, name: str) -> Any:
        """The value of a field that must be there."""
        if name not in self._fields:
            self.fail(name, f"is missing among {sorted(map(str, self._fields))[:6]}")
        return self._fields[name]

    def array(self, name: str) -> np.ndarray:
        """A field that is an array, or lists that make one."""
        value = self.get(name)
        if not isinstance(value, np.ndarray | list | tuple):
            self.fail(name, f"must be an array, not {_kind(value)}")
        try:
            return np.atleast_1d(np.asarray(value))
        except ValueError:  # ragged lists
            return self.fail(name, "must be an array, but its entries do not make one")

    def pixels(self, name: str) -> np.ndarray:
        """[N, height, width, 3] uint8."""
        array = self.array(name)
        if array.dtype != np.uint8 or array.ndim != 4 or array.shape[3] != 3 or 0 in array.shape[1:3]:
            self.fail(name, f"must be [N, height, width, 3] uint8, not {list(array.shape)} {array.dtype}")
        return array

    def labels(self, name: str, count: int) -> np.ndarray:
        """[count] of class numbers from 0."""
        array = self.array(name)
        if array.shape != (count,) or array.dtype.kind not in "iu" or (array < 0).any():
            self.fail(name, f"must hold {count} class numbers, not {list(array.shape)} {array.dtype}")
        return array.astype(np.int64)

    def names(self, name: str) -> list[str]:
        """A list of texts."""
        value = self.get(name)
        value = value.tolist() if isinstance(value, np.ndarray) else value
        if not isinstance(value, list | tuple) or not all(isinstance(item, str | bytes) for item in value):
            self.fail(name, "must be a list of names")
        return [as_text(item) for item in value]


def open_pickled_fields(path: Path) -> PickledFields:
    """The dictionary in a file. Raises UserError, as `read_pickle`, and if it holds none."""
    return PickledFields(path, read_pickle(path))


def as_text(value: Any) -> Any:
    """Bytes as text, anything else as it is."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _kind(value: Any) -> str:
    return f"an object of type {type(value).__name__.lstrip('_')}"
