"""A bad input: the fault, the command to run, and the expected error line.

Commands run in a folder with records in `records`, and a run trained and evaluated on them in `run`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from tests.entries import damage as d
from tests.entries.harness import bindings, contents, copied, run_entry, with_defaults


class BadInput(NamedTuple):
    """A description of the fault, the command to run, and a regular expression for the line that it prints."""

    what: str
    entry: str
    flags: tuple[str, ...]
    line: str
    damage: d.Damage = d.nothing
    limit: Callable[[Path], AbstractContextManager] = lambda folder: nullcontext()


def refusal(bad: BadInput, folder: Path) -> str:
    """The error line; asserts exit code 2, no other output on stderr, unchanged files, and no execution of pickles."""
    kept = bad.damage(folder)
    before = contents(folder)
    with bad.limit(folder):
        line = run_entry(bad.entry, *bad.flags, cwd=folder).error
    after = contents(folder)
    assert {file: after.get(file) for file in before} == before
    assert not (folder / "trace").exists()
    del kept
    return line.replace(f"{folder}/", "")


def prepare(folder: Path, root: Path, run: Path) -> None:
    """Copies records and run to `folder`, where the command runs."""
    copied(root, folder / "records")
    copied(run, folder / "run")
    for file in ("run.json", "results/test.json"):  # where the records lie
        text = (folder / "run" / file).read_text()
        (folder / "run" / file).write_text(text.replace(f'"{root}"', f'"{folder / "records"}"'))


def train(what: str, line: str, *flags: str, damage: d.Damage = d.nothing, **options) -> BadInput:
    small = (*bindings(), "--records_root_dir=records", "--run_dir=new")
    return BadInput(what, "train", tuple(with_defaults(small, flags)), line, damage, **options)


def bound(what: str, line: str, *lines: str) -> BadInput:
    return train(what, line, *(f"--gin_bindings={binding}" for binding in lines))


def evaluate(what: str, line: str, *flags: str, damage: d.Damage = d.nothing, **options) -> BadInput:
    return BadInput(what, "evaluate", tuple(with_defaults(["--run_dir=run"], flags)), line, damage, **options)
