"""The cells of the paper's tables: what is trained for each, what was published, and where a measurement is kept."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
CELLS = ROOT / "gin" / "paper" / "cells.csv"
QUOTED = ROOT / "gin" / "paper" / "quoted.csv"


class Cell(NamedTuple):
    """One number of a table. `published` and `spread` are the paper's own, empty where it has none."""

    table: str
    row: str  # its gin file in gin/paper/
    setting: str
    run: str  # the gin file it is trained by: that of another row where only the test differs
    bindings: str  # macros and their values, separated by spaces
    source: str
    published: str
    spread: str
    note: str

    @property
    def trained(self) -> bool:
        """Whether there is any training: not of plain descent from a random start."""
        return not self.run.endswith(("conv4_random", "resnet12_random"))

    @property
    def folder(self) -> Path:
        """Where its runs lie, relative to the folder of all runs; cells that are trained alike share it."""
        return Path(self.run) / slug(self.bindings or "defaults")

    def file(self, num_updates: int | None = None) -> Path:
        """Its measurement with so many updates, None for the paper's number; relative to the folder of results."""
        updates = "" if num_updates is None else f"@{num_updates}"
        return Path("paper") / self.row / f"{slug(self.setting)}{updates}.json"

    def budgets(self, store: Path) -> list[int | None]:
        """The numbers of updates that it has been measured with; None for the paper's, where that is or nothing is."""
        found = (store / self.file()).parent.glob(f"{slug(self.setting)}@*.json")
        others = sorted(int(path.stem.rpartition("@")[2]) for path in found)
        return ([None] if (store / self.file()).exists() or not others else []) + others

    @property
    def gin_bindings(self) -> list[str]:
        """The bindings one by one, as the flag takes them."""
        return [binding.replace("=", " = ", 1) for binding in self.bindings.split()]


class Quoted(NamedTuple):
    """A number that the paper quotes from others."""

    table: str
    learner: str
    setting: str
    published: str
    note: str


def quoted() -> list[Quoted]:
    """All of them; nothing of this is measured here."""
    with open(QUOTED, newline="") as file:
        return [Quoted(*line.values()) for line in csv.DictReader(file)]


def cells() -> list[Cell]:
    """All of them, in the order of the tables."""
    with open(CELLS, newline="") as file:
        return [Cell(*line.values()) for line in csv.DictReader(file)]


def chosen(table: str, rows: Sequence[str], settings: Sequence[str]) -> list[Cell]:
    """The cells of a table, of these rows and settings where some are named. Raises ValueError where there is none."""
    everything = cells()
    found = [cell for cell in everything if cell.table == table]
    if not found:
        raise ValueError(f"no table {table}; there are {', '.join(dict.fromkeys(cell.table for cell in everything))}")
    for kind, names in (("row", rows), ("setting", settings)):
        known = dict.fromkeys(getattr(cell, kind) for cell in found)
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f"{table} has no {kind} {unknown[0]!r}; there are {', '.join(map(repr, known))}")
        found = [cell for cell in found if not names or getattr(cell, kind) in names]
    if not found:
        raise ValueError(f"{table}: no row of {', '.join(rows)} has a setting of {', '.join(settings)}")
    return found


def slug(text: str) -> str:
    """Letters, digits and points of a text, the rest as single hyphens: a name for a file."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-")
