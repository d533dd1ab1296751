"""Type-checked access to the fields of a pickled dictionary, as published data sets are stored."""

from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from alfa_md.data.images.unpickling import read_pickle
from alfa_md.errors import UserError

MOST_ENTRIES = 10**8  # of nested lists; the largest published ones have some 10^5


class PickledFields:
    """The fields of one pickled dictionary. Every method raises UserError naming `where` and the field.

    Field names may be bytes, as in re-written files of Python 2.
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
        """The value of a required field."""
        if name not in self._fields:
            self.fail(name, f"is missing among {sorted(map(str, self._fields))[:6]}")
        return self._fields[name]

    def array(self, name: str) -> np.ndarray:
        """A field as an array; nested lists are converted."""
        value = self.get(name)
        if not isinstance(value, np.ndarray | list | tuple):
            self.fail(name, f"must be an array, not {_kind(value)}")
        if not isinstance(value, np.ndarray) and count_entries(value, {}) > MOST_ENTRIES:
            self.fail(name, f"has more than {MOST_ENTRIES} entries in nested lists")
        try:
            return np.atleast_1d(np.asarray(value))
        except ValueError:  # ragged lists
            return self.fail(name, "must be an array, but its entries do not make one")

    def pixels(self, name: str) -> np.ndarray:
        """A field of images, [N, height, width, 3] uint8."""
        array = self.array(name)
        if array.dtype != np.uint8 or array.ndim != 4 or array.shape[3] != 3 or 0 in array.shape[1:3]:
            self.fail(name, f"must be [N, height, width, 3] uint8, not {list(array.shape)} {array.dtype}")
        return array

    def labels(self, name: str, count: int) -> np.ndarray:
        """A field of class numbers from 0, [count] int64."""
        array = self.array(name)
        if array.shape != (count,) or array.dtype.kind not in "iu" or (array < 0).any():
            self.fail(name, f"must hold {count} class numbers, not {list(array.shape)} {array.dtype}")
        return array.astype(np.int64)

    def names(self, name: str) -> list[str]:
        """A field that is a list of strings or bytes, as strings."""
        value = self.get(name)
        value = value.tolist() if isinstance(value, np.ndarray) else value
        if not isinstance(value, list | tuple) or not all(isinstance(item, str | bytes) for item in value):
            self.fail(name, "must be a list of names")
        return [as_text(item) for item in value]


def open_pickled_fields(path: Path) -> PickledFields:
    """The dictionary in a pickle file. Raises UserError as `read_pickle` does, and if it is no dictionary."""
    return PickledFields(path, read_pickle(path))


def count_entries(value: Any, counted: dict[int, int], depth: int = 0) -> int:
    """The number of entries that nested lists would have as an array; one list may stand in many places.

    `counted` has the numbers of the lists seen so far, by id.
    """
    if not isinstance(value, list | tuple) or depth > 64:  # the dimensions that NumPy has at most
        return value.size if isinstance(value, np.ndarray) else 1
    if id(value) not in counted:
        counted[id(value)] = MOST_ENTRIES + 1  # if it holds itself
        nested = [item for item in value if isinstance(item, list | tuple | np.ndarray)]
        counted[id(value)] = len(value) - len(nested) + sum(count_entries(item, counted, depth + 1) for item in nested)
    return counted[id(value)]


def as_text(value: Any) -> Any:
    """`value` decoded as Latin-1 if it is bytes, else unchanged."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _kind(value: Any) -> str:
    return f"an object of type {type(value).__name__.lstrip('_')}"
