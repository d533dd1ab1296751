"""The one exception that a user can cause and can cure."""


class UserError(Exception):
    """Bad input: one line that names the file, class or binding, and the remedy.

    The entries print it and exit with code 2; inside the package it is caught only where the cure is at hand. What a
    file says may be part of the line, so line breaks and control characters are written as escapes.
    """

    def __init__(self, message: str):
        super().__init__("".join(c if c.isprintable() else repr(c)[1:-1] for c in message))


def require_at_least(lowest: float, owner: str, **values: float) -> None:
    """Raises UserError naming the first of `values`, the parameters of `owner`, that is less than `lowest`."""
    for name, value in values.items():
        if not value >= lowest:  # so that NaN is refused as well
            raise UserError(f"{owner}.{name} = {value!r} must be at least {lowest}")


class MissingSource(UserError):
    """A source that is not under the root: others can still be evaluated."""


class MissingSplit(UserError):
    """A source that has no class in the split asked for."""
