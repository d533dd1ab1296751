"""Texts of RESULTS.md in lines of equal width."""

from collections.abc import Sequence
from textwrap import fill

WIDTH = 120  # characters of a line


def unmeasured(names: Sequence[str]) -> list[str]:
    """The line below a table on what has no result, after an empty one; nothing if all has."""
    return ["", wrapped(f"Unmeasured: {'; '.join(names)}.")] if names else []


def wrapped(text: str) -> str:
    """The paragraphs of a text in lines of at most `WIDTH` characters; words with hyphens stay whole."""
    return "\n\n".join(fill(" ".join(each.split()), WIDTH, break_on_hyphens=False) for each in text.split("\n\n"))


def formatted(text: str, **values: object) -> str:
    """A text of paragraphs with its values, wrapped after they are in."""
    return wrapped(text.format(**values)) + "\n"
