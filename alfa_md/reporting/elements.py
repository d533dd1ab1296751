"""HTML elements shared by the report's sections."""

import re
from collections.abc import Iterable, Sequence
from html import escape


def html_table(heading: Iterable[str], rows: Iterable[Sequence[str]], last: Sequence[str] = (), kind: str = "") -> str:
    """A table of cells that are HTML; scrolls horizontally if the page is too narrow."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in heading)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    body += f'<tr class="sum">{_cells(last)}</tr>' if last else ""
    table = f'<table class="{kind}">' if kind else "<table>"
    return f'<div class="scroll">{table}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cells(row: Sequence[str]) -> str:
    return f'<th scope="row">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:])


def with_line_breaks(name: str) -> str:
    """A name as escaped HTML with optional line breaks after `.`, `/`, `_` and `:`, except within numbers."""
    return re.sub(r"(?<=[A-Za-z])([./_:])", r"\1<wbr>", escape(name))


def warning_box(text: str) -> str:
    """A highlighted warning with this plain text."""
    return f'<p class="loud">{escape(text)}</p>'
