"""Templates of the pages, in which every text is escaped, and the content of their tables."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape


class Cell(NamedTuple):
    """A table cell: a text, remarks in small print behind it, and whether it is the best of its row."""

    text: str
    remarks: Sequence[str] = ()
    is_best: bool = False


class Table(NamedTuple):
    """A table: names of the columns; name and cells of every row; the cells of the row `mean` below a line, if any."""

    heading: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    means: Sequence[Cell] = ()


def with_line_breaks(name: object) -> Markup:
    """A name as HTML with optional line breaks after `.`, `/`, `_` and `:`, except within numbers."""
    return Markup(re.sub(r"(?<=[A-Za-z])([./_:])", r"\1<wbr>", str(escape(name))))


PAGES = Environment(
    loader=PackageLoader("alfa_md.reporting", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
PAGES.filters["breakable"] = with_line_breaks
