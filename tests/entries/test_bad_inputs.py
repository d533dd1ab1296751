"""Every bad input prints the line in `docs/errors.md` and changes no file."""

import re

import pytest

from scripts.errors_table import FILE, comparable, document, lines
from tests.entries.bad_input import prepare, refusal
from tests.entries.bad_inputs import SECTIONS
from tests.entries.harness import needs_tensorflow

ROWS = [(section, bad) for section, rows in SECTIONS.items() for bad in rows]


@needs_tensorflow
@pytest.mark.parametrize(("section", "bad"), ROWS, ids=[f"{section}: {bad.what}" for section, bad in ROWS])
def test_one_line_and_nothing_lost(tmp_path, root, evaluated, section, bad):
    prepare(tmp_path, root, evaluated)
    line = refusal(bad, tmp_path)
    assert re.search(bad.line, line), line
    told = lines(FILE.read_text())[section, bad.what]
    assert comparable(told) == comparable(line), "make docs/errors.md anew: python -m scripts.errors_table"


def test_the_table_has_these_rows_and_no_others():
    printed = lines(FILE.read_text())
    assert list(printed) == [(section, bad.what) for section, bad in ROWS]
    assert document(printed) == FILE.read_text()
