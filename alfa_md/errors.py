"""Exceptions for bad input, reported to users as one line."""


class UserError(Exception):
    """Bad input: one line with the file, class or binding and the remedy.

    Commands print it and exit with code 2. Line breaks and control characters, e.g. from the content of a file, are
    escaped.
    """

    def __init__(self, message: str):
        super().__init__(escape_controls(message))


def escape_controls(text: str, kept: str = "") -> str:
    """`text` with its control characters, line breaks included, as escape sequences, except those in `kept`."""
    return "".join(c if c.isprintable() or c in kept else repr(c)[1:-1] for c in text)


def brief(error: BaseException, longest: int = 200) -> str:
    """An error of a library in one line: its class, and its words up to `longest` characters."""
    words = " ".join(str(error).split("\n  In call to configurable")[0].split())  # gin appends such lines
    return f"{type(error).__name__}: {words if len(words) <= longest else words[: longest - 3] + '...'}"


def require_at_least(lowest: float, owner: str, **values: float) -> None:
    """Raises UserError for the first of `values`, parameters of `owner`, that is NaN or less than `lowest`."""
    for name, value in values.items():
        if not value >= lowest:  # also true for NaN
            raise UserError(f"{owner}.{name} = {value!r} must be at least {lowest}")


class MissingSource(UserError):
    """A source that is missing under the root; an evaluation continues with the others."""


class MissingSplit(UserError):
    """A source without classes in the requested split."""


class WrongPart(ValueError):
    """A part of a file of ours that is missing, or not as this package writes it."""
