"""Summaries of run directories: configuration, metrics and results, read without loading checkpoints."""

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from alfa_md.errors import UserError
from alfa_md.evaluation import comparison
from alfa_md.evaluation.tables import UNITS
from alfa_md.experiment.ranking import sort_value
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.metrics import ACCURACY, MeanCI, Unit
from alfa_md.reporting.published import bindings
from alfa_md.system.user_path import user_path

COSTS = {"step", "seconds", "cpu_seconds", "data_wait", "peak_memory", "diverged"}  # finite, unlike loss and score


class RunSummary(NamedTuple):
    """The contents of a run directory; `label` is unique within a report."""

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
        """The last update with a record."""
        return max((record["step"] for record in self.train + self.validation), default=0)

    @property
    def total(self) -> int | None:
        """The number of updates in the configuration, None if unknown."""
        values = [value for name, value in self.bound.items() if name.endswith(".num_updates")]
        return int(values[0]) if values and values[0].isdigit() else None

    @property
    def unit(self) -> Unit:
        """The unit of the scores in the records."""
        found = (unit for name, unit in UNITS.items() if any(name in record for record in self.validation + self.train))
        return next(found, ACCURACY)

    @property
    def best(self) -> dict | None:
        """The first validation record with the best score, None if there is none."""
        return max(self.validation, key=lambda record: sort_value(self._rank(record), self.unit), default=None)

    def _rank(self, record: dict) -> float:
        """The mean of a validation by which it was ranked in training; NaN if it has none."""
        mean = record.get(self.unit.name)
        return self.unit.rank(MeanCI(math.nan if mean is None else mean, 0.0, 0, record.get("diverged", 0)))

    def last(self, name: str) -> float | None:
        """The last value of a non-decreasing quantity such as seconds, None if not recorded."""
        return max((record[name] for record in self.train + self.validation if name in record), default=None)


def read_runs(paths: Sequence[str]) -> list[RunSummary]:
    """Reads the runs in these directories, without duplicates. Raises UserError if one is missing or damaged."""
    folders = list(dict.fromkeys(user_path(path).resolve() for path in paths))
    return [read_run(folder, label) for folder, label in zip(folders, run_labels(folders), strict=True)]


def run_labels(folders: Sequence[Path]) -> list[str]:
    """The shortest distinct suffixes of the paths; a name that is only a seed includes its parent's."""
    for number in range(1, max(len(folder.parts) for folder in folders) + 1):
        names = ["/".join(folder.parts[-number:]) for folder in folders]
        if len(set(names)) == len(names) and not any(re.fullmatch(r"seed\d*", name) for name in names):
            return names
    return [str(folder) for folder in folders]


def read_run(path: Path, label: str) -> RunSummary:
    """Reads one run. Raises UserError as `read_runs` does."""
    run = RunDirectory(path)
    facts = {name: encodable(value) for name, value in run.facts().items()}
    label, config = encodable(label), run.config.read_text("utf-8", errors="replace")
    records = read_metrics(run.metrics)
    train, validation = ([r for r in records if r["group"] == group] for group in ("train", "validation"))
    return RunSummary(label, path, facts, config, bindings(config), train, validation, read_results(run.results))


def encodable(value: object) -> object:
    """The value; a text without the halves of characters that no file can hold, as names of folders may have them."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def read_metrics(path: Path) -> list[dict]:
    """The records of a metrics.jsonl; empty if the file does not exist, and without an incomplete last line.

    Raises UserError if another line is damaged.
    """
    lines = path.read_text("utf-8", errors="replace").split("\n") if path.is_file() else [""]
    records = []
    for number, line in enumerate(lines[:-1], start=1):  # the last line of an active run may be incomplete
        try:
            record = json.loads(line)
            _validate_record(record)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise UserError(f"{path}, line {number} is damaged; delete that line and run this again") from error
        records.append(record)
    return records


def _validate_record(record: dict) -> None:
    """Raises KeyError, TypeError, ValueError or OverflowError if a record lacks keys or has invalid values."""
    if record["group"] == "validation" and not UNITS.keys() & record.keys():
        raise KeyError("no score")
    numbers = [record["step"]] + [value for name, value in record.items() if name != "group"]
    if not all(number is None or type(number) in (int, float) for number in numbers):
        raise ValueError("not a number")
    [float(number) for number in numbers if number is not None]  # an integer may be too large
    if not all(record[name] is not None and math.isfinite(record[name]) for name in COSTS & record.keys()):
        raise ValueError("not finite")


def read_results(folder: Path) -> dict[str, dict]:
    """The contents of the test results files: the run's under "", its baselines' under their names.

    Raises UserError if a file is damaged.
    """
    files = [path for path in sorted(folder.glob("test*.json")) if re.fullmatch(r"test(-[^.]+)?", path.stem)]
    names = (path.stem.removeprefix("test").removeprefix("-") for path in files)
    return {name: comparison.load_results(str(path), "test") for name, path in zip(names, files, strict=True)}
