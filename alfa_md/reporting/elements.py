"""The pieces of HTML that the sections of a report share."""

import re
from collections.abc import Iterable, Sequence
from html import escape


def html_table(heading: Iterable[str], rows: Iterable[Sequence[str]], last: Sequence[str] = (), kind: str = "") -> str:
    """A table of cells that are HTML already; it scrolls on its own where the page is too narrow."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in heading)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    body += f'<tr class="sum">{_cells(last)}</tr>' if last else ""
    table = f'<table class="{kind}">' if kind else "<table>"
    return f'<div class="scroll">{table}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cells(row: Sequence[str]) -> str:
    return f'<th scope="row">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:])


def breakable(name: str) -> str:
    """A name of many parts as HTML, which a narrow column may break at its joints; numbers stay whole."""
    return re.sub(r"(?<=[A-Za-z])([./_:])", r"\1<wbr>", escape(name))


def loud(text: str) -> str:
    """A warning that nobody overlooks, of plain text."""
    return f'<p class="loud">{escape(text)}</p>'
