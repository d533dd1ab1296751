"""Writes docs/errors.md, the error lines of all tested bad inputs: `python -m scripts.errors_table` from the root."""

import re
import tempfile
from pathlib import Path

from tests.entries.bad_input import prepare, refusal
from tests.entries.bad_inputs import SECTIONS
from tests.entries.harness import environment, run_entry, small_run, write_root
from tests.shared import ROOT

FILE = ROOT / "docs" / "errors.md"
HEAD = """# What bad input prints

Bad input of any command is one line on stderr, `error: ` and what stands below, with exit code 2. No file that was
there before is changed or lost. Below, `records` is the records root, `run` a run directory and `new` one to be made.
Made from the tests by `python -m scripts.errors_table`; `tests/entries/test_bad_inputs.py` holds it.
"""
TABLE = "| what is wrong | command | the line printed | exit code |\n| --- | --- | --- | --- |\n"
Lines = dict[tuple[str, str], str]  # by section and row


def document(printed: Lines) -> str:
    """The text of docs/errors.md."""
    return HEAD + "".join(f"\n## {section}\n\n{TABLE}{_rows(section, printed)}" for section in SECTIONS)


def _rows(section: str, printed: Lines) -> str:
    rows = ((bad.what, _entry(bad.entry), _code(printed[section, bad.what]), "2") for bad in SECTIONS[section])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _entry(name: str) -> str:
    return "`alfa-md`" if name == "__main__" else f"`{name}`"


def _code(line: str) -> str:
    return f"`` {line} ``".replace("|", r"\|")


def lines(text: str) -> Lines:
    """The error lines in a document."""
    found, section = {}, ""
    for row in text.splitlines():
        section = row.removeprefix("## ") if row.startswith("## ") else section
        if cells := re.fullmatch(r"\| (.*?) \| `[\w-]+` \| `` (.*) `` \| 2 \|", row):
            found[section, cells[1]] = cells[2].replace(r"\|", "|")
    return found


def comparable(line: str) -> str:
    """An error line without positions in files and their sizes, which vary between library versions."""
    return re.sub(r"(byte |line |data/|its |has )\d+(?! of)", r"\1N", line)


def measure(folder: Path) -> Lines:
    """Runs every bad input in a folder of its own below `folder`; returns the lines printed."""
    root = write_root(folder / "root")
    run = small_run(folder, root)
    assert run_entry("evaluate", "--run_dir=run", "--sources=omniglot", "--num_episodes=2", cwd=folder).code == 0
    printed = {}
    for section, rows in SECTIONS.items():
        for bad in rows:
            here = folder / f"row{len(printed)}"
            prepare(here, root, run)
            printed[section, bad.what] = refusal(bad, here)
    return printed


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, environment(Path(name) / "cache"):
        text = document(measure(Path(name).resolve()))
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text, "utf-8")
    print(f"{FILE.relative_to(ROOT)}: {sum(map(len, SECTIONS.values()))} rows")
