"""The cells of the paper's tables: their configuration, published number, run directory and results file."""

import csv
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
CELLS = ROOT / "gin" / "paper" / "cells.csv"
QUOTED = ROOT / "gin" / "paper" / "quoted.csv"


class Variation(NamedTuple):
    """Bindings of the user's own, after those of a cell: of its training, and of the pretraining before that."""

    bindings: tuple[str, ...] = ()
    pretraining: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """The end of file names: the bindings, shortened, and a digest of all; empty without any."""
        if not any(self):
            return ""
        digest = hashlib.sha256(repr(tuple(self)).encode()).hexdigest()[:8]
        return f"+{slug(' '.join(self.bindings + self.pretraining))[:60]}-{digest}"


class Cell(NamedTuple):
    """One number of a table. `published` and `spread` are the paper's, empty if it has none."""

    table: str
    row: str  # its gin file in gin/paper/
    setting: str
    run: str  # the gin file of its training: that of another row if only the test differs
    bindings: str  # macros and their values, separated by spaces
    source: str
    published: str
    spread: str
    note: str
    variation: Variation = Variation()

    @property
    def trained(self) -> bool:
        """True if the learner is meta-trained; False for gradient descent from random initial weights."""
        return not self.run.endswith(("conv4_random", "resnet12_random"))

    @property
    def gin_file(self) -> str:
        """The gin file of its training, relative to the repository."""
        return f"gin/paper/{self.run}.gin"

    @property
    def folder(self) -> Path:
        """Its run directory relative to the folder of all runs; cells with the same training share it."""
        return Path(self.run) / (slug(self.bindings or "defaults") + self.variation.suffix)

    def file(self, num_updates: int | None = None) -> Path:
        """Its results file for a number of updates, None for the paper's; relative to the folder of results."""
        updates = "" if num_updates is None else f"@{num_updates}"
        return Path("paper") / self.row / f"{slug(self.setting)}{self.variation.suffix}{updates}.json"

    def budgets(self, store: Path) -> list[int | None]:
        """The numbers of updates with a measurement; None for the paper's, also if there is no measurement at all."""
        found = (store / self.file()).parent.glob(f"{slug(self.setting)}@*.json")
        others = sorted(int(path.stem.rpartition("@")[2]) for path in found)
        return ([None] if (store / self.file()).exists() or not others else []) + others

    @property
    def gin_bindings(self) -> list[str]:
        """The bindings as values of --gin_bindings, those of the variation last."""
        return [binding.replace("=", " = ", 1) for binding in self.bindings.split()] + [*self.variation.bindings]


class Quoted(NamedTuple):
    """A number that the paper quotes from other papers."""

    table: str
    learner: str
    setting: str
    published: str
    note: str


def read_quoted() -> list[Quoted]:
    """Reads the quoted numbers, which are not measured here."""
    with open(QUOTED, newline="", encoding="utf-8") as file:
        return [Quoted(*line.values()) for line in csv.DictReader(file)]


def read_cells() -> list[Cell]:
    """Reads all cells, in the order of the tables."""
    with open(CELLS, newline="", encoding="utf-8") as file:
        return [Cell(*line.values()) for line in csv.DictReader(file)]


def select_cells(table: str, rows: Sequence[str], settings: Sequence[str]) -> list[Cell]:
    """The cells of a table, optionally only of some rows and settings. Raises ValueError if there are none."""
    everything = read_cells()
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
    """A text as file name: letters, digits and points are kept, the rest becomes single hyphens."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-")
