"""Control characters of names and paths do not reach the terminal."""

import io

import pytest
from rich.table import Table

from alfa_md.system.console import ERRORS, PlainConsole
from alfa_md.system.progress import CONSOLE, Progress

NAME = "a\x1b[2J\x07\x9b31m\u202eb\r\b"
SHOWN = "a\\x1b[2J\\x07\\x9b31m\\u202eb\\r\\x08"


def test_they_are_shown_as_escape_sequences(capsys):
    CONSOLE.print(f"{NAME}: ± ä 漢")
    ERRORS.print(f"error: {NAME}")
    Progress("training", 1).print_line(f"two\nlines {NAME}")
    out, err = capsys.readouterr()
    assert out == f"{SHOWN}: ± ä 漢\ntwo\nlines {SHOWN}\n" and err == f"error: {SHOWN}\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_in_tables_and_titles_too_while_those_of_rich_remain(terminal):
    colours = "standard" if terminal else None
    console = PlainConsole(file=io.StringIO(), force_terminal=terminal, width=100, color_system=colours)
    table = Table(title=NAME, title_style="bold")
    table.add_column(NAME)
    table.add_row(NAME)
    console.print(table)
    text = console.file.getvalue()
    assert text.count(SHOWN) == 3 and "\x07" not in text and "\x1b[2J" not in text
    assert ("\x1b[1m" in text) == terminal


def test_the_bytes_of_a_path_that_is_no_utf8(capsys):
    CONSOLE.print("no\udcffutf")
    assert capsys.readouterr().out == "no\\udcffutf\n"
