"""Type-checked reader for the JSON fields of a data set specification; errors name the file and the field."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from alfa_md.errors import UserError

T = TypeVar("T")
HIGHEST = 2**31 - 1  # count: larger arrays are never created
REMEDY = "correct the file or convert the source again"


def raise_malformed(where: Path | str, name: str, problem: str, remedy: str = REMEDY) -> NoReturn:
    """Raise the UserError for an invalid field."""
    raise UserError(f"{where}: field {name!r} {problem}; {remedy}")


class Fields:
    """A JSON object read field by field. Every method raises UserError naming `where` and the field."""

    def __init__(self, data: Any, where: Path | str, remedy: str = REMEDY) -> None:
        if not isinstance(data, Mapping):
            raise UserError(f"{where}: must hold a JSON object, not {short_repr(data)}; {remedy}")
        self.data = data
        self.where, self.remedy = where, remedy

    def fail(self, name: str, problem: str) -> NoReturn:
        raise_malformed(self.where, name, problem, self.remedy)

    def get(self, name: str) -> Any:
        """The value of a required field."""
        if name not in self.data:
            self.fail(name, "is missing")
        return self.data[name]

    def mapping(self, name: str) -> Mapping[str, Any]:
        """The value of a required field that is an object."""
        value = self.get(name)
        if not isinstance(value, Mapping):
            self.fail(name, f"must be an object, not {short_repr(value)}")
        return value

    def text(self, name: str, value: Any, key: str = "") -> str:
        """`value` as a string; integers are accepted because some published class names are numbers."""
        if not isinstance(value, str | int) or isinstance(value, bool):
            self.fail(name, f"{_at(key)}must be a string, not {short_repr(value)}")
        return str(value)

    def texts(self, name: str, value: Any, key: str = "") -> tuple[str, ...]:
        """`value` as a tuple of strings."""
        if not isinstance(value, list | tuple):
            self.fail(name, f"{_at(key)}must be a list of strings, not {short_repr(value)}")
        return tuple(self.text(name, item, key) for item in value)

    def count(self, name: str, value: Any, key: str = "") -> int:
        """`value` as an integer from 0 to 2^31 - 1."""
        if isinstance(value, Mapping):
            self.fail(name, f"{_at(key)}is an object: example-level pools are not supported, give one count")
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= HIGHEST:
            self.fail(name, f"{_at(key)}must be a count, not {short_repr(value)}")
        return value

    def counts(self, name: str, value: Any, key: str = "") -> dict[str, int]:
        """`value` as a dictionary of counts."""
        if not isinstance(value, Mapping):
            self.fail(name, f"{_at(key)}must be an object of counts, not {short_repr(value)}")
        return {item: self.count(name, number, item) for item, number in value.items()}

    def numbered(self, name: str, read: Callable[[str, Any, str], T]) -> tuple[T, ...]:
        """A field that is an object with the keys "0" to "n-1", as a tuple sorted by key."""
        values = self.mapping(name)
        keys = [str(number) for number in range(len(values))]
        if absent := [key for key in keys if key not in values]:
            self.fail(name, f"must have the keys 0 to {len(keys) - 1}, but {absent[0]} is missing")
        return tuple(read(name, values[key], key) for key in keys)

    def by_split(self, name: str, splits: tuple[str, ...], read: Callable[[str, Any, str], T]) -> dict[str, T]:
        """A field that is an object with upper-case split names as keys, as a dictionary by split."""
        values = self.mapping(name)
        if set(values) != {split.upper() for split in splits}:
            self.fail(name, f"must have the keys {', '.join(splits).upper()}, not {short_repr(list(values))}")
        return {split: read(name, values[split.upper()], split.upper()) for split in splits}


def _at(key: str) -> str:
    return f"at {key!r} " if key else ""


def short_repr(value: Any) -> str:
    """`repr` of a value, cut to 40 characters."""
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."
