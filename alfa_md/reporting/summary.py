"""What a run directory says of its run: configuration, curves and results, read without loading anything."""

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from alfa_md.errors import UserError
from alfa_md.evaluation import comparison
from alfa_md.evaluation.tables import UNITS
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.metrics import ACCURACY, Unit
from alfa_md.reporting.published import bindings

COSTS = {"step", "seconds", "cpu_seconds", "data_wait", "peak_memory"}  # in which a NaN is damage, not divergence


class RunSummary(NamedTuple):
    """One run; `label` tells it from the others of a report."""

    label: str
    path: Path
    facts: dict
    config: str
    bound: dict[str, str]
    train: list[dict]  # records of metrics.jsonl, in order
    validation: list[dict]
    results: dict[str, dict]  # "" (the run's own) or name of a baseline -> content of the results file

    @property
    def updates(self) -> int:
        """The last update that left a record."""
        return max((record["step"] for record in self.train + self.validation), default=0)

    @property
    def total(self) -> int | None:
        """The number of updates that the configuration asks for."""
        values = [value for name, value in self.bound.items() if name.endswith(".num_updates")]
        return int(values[0]) if values and values[0].isdigit() else None

    @property
    def unit(self) -> Unit:
        """What the scores of its records are."""
        found = (unit for name, unit in UNITS.items() if any(name in record for record in self.validation + self.train))
        return next(found, ACCURACY)

    @property
    def best(self) -> dict | None:
        """The first validation record with the best score."""
        unit = self.unit
        return max(self.validation, key=lambda record: unit.sign * record[unit.name], default=None)

    def last(self, name: str) -> float | None:
        """The largest value of a quantity that only grows, such as seconds."""
        return max((record[name] for record in self.train + self.validation if name in record), default=None)


def summaries(paths: Sequence[str]) -> list[RunSummary]:
    """The runs in these directories, each once. Raises UserError for what is no run directory or is damaged."""
    folders = list(dict.fromkeys(Path(path).expanduser().resolve() for path in paths))
    return [summary(folder, label) for folder, label in zip(folders, labels(folders), strict=True)]


def labels(folders: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that differ; a name that is only a seed gets its parent's."""
    for number in range(1, max(len(folder.parts) for folder in folders) + 1):
        names = ["/".join(folder.parts[-number:]) for folder in folders]
        if len(set(names)) == len(names) and not any(re.fullmatch(r"seed\d*", name) for name in names):
            return names
    return [str(folder) for folder in folders]


def summary(path: Path, label: str) -> RunSummary:
    """One run. Raises UserError as `summaries` does."""
    run = RunDirectory(path)
    facts, config = run.facts(), run.config.read_text(errors="replace")
    records = metrics(run.metrics)
    train, validation = ([r for r in records if r["group"] == group] for group in ("train", "validation"))
    return RunSummary(label, path, facts, config, bindings(config), train, validation, results(run.results))


def metrics(path: Path) -> list[dict]:
    """The records of a metrics.jsonl; none where a run has just begun, and half a last line is passed over.

    Raises UserError where another line is damaged.
    """
    lines = path.read_text(errors="replace").split("\n") if path.is_file() else [""]
    records = []
    for number, line in enumerate(lines[:-1], start=1):  # a run that is being written to may end in half a line
        try:
            record = json.loads(line)
            _check(record)
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path}, line {number} is damaged; delete that line and run this again") from error
        records.append(record)
    return records


def _check(record: dict) -> None:
    """Raises KeyError, TypeError or ValueError unless a record has what every record has."""
    if record["group"] == "validation" and not UNITS.keys() & record.keys():
        raise KeyError("no score")
    numbers = [record["step"]] + [value for name, value in record.items() if name != "group"]
    if not all(type(number) in (int, float) for number in numbers):
        raise ValueError("not a number")
    if not all(math.isfinite(record[name]) for name in COSTS & record.keys()):
        raise ValueError("not finite")


def results(folder: Path) -> dict[str, dict]:
    """The run's own test results under "", those of its baselines under their names; nothing where there are none.

    Raises UserError where a file is damaged.
    """
    files = [path for path in sorted(folder.glob("test*.json")) if re.fullmatch(r"test(-[^.]+)?", path.stem)]
    return {path.stem.removeprefix("test").removeprefix("-"): _results(path) for path in files}


def _results(path: Path) -> dict:
    content = comparison.load_results(str(path), "test")
    try:
        [(float(record["mean"]), float(record["ci95"]), record["data"]) for record in content["sources"].values()]
        content["protocol"]["split"], content["protocol"]["seed"]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not a results file of this package") from error
    return content
