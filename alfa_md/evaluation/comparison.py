"""Paired comparison of two results on the same episodes: differences, wins, ties, losses and average ranks."""

import json
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from alfa_md.errors import UserError
from alfa_md.evaluation.tables import UNITS, unit_description
from alfa_md.metrics import ACCURACY, MeanCI, Unit, mean_ci, paired_difference
from alfa_md.system.progress import CONSOLE

EPISODE_KEYS = ("split", "seed", "sampling", "unit")  # of the protocol; equal if two results are of the same episodes


class ComparisonRow(NamedTuple):
    """Comparison on one source: both means and their paired difference a - b, in `unit`."""

    source: str
    a: MeanCI
    b: MeanCI
    difference: MeanCI
    unit: Unit = ACCURACY

    @property
    def verdict(self) -> str:
        """`win` or `loss` of a, or `tie` if the interval of the difference contains 0."""
        if abs(self.difference.mean) <= self.difference.ci95:
            return "tie"
        return "win" if self.unit.sign * self.difference.mean > 0 else "loss"


def compare_results(path_a: str, path_b: str, split: str) -> list[ComparisonRow]:
    """Prints the comparison of two run directories or results files and returns its rows."""
    a, b = load_results(path_a, split), load_results(path_b, split)
    rows = paired_rows(a, b)
    CONSOLE.print(comparison_table(path_a, path_b, rows))
    verdicts = [row.verdict for row in rows]
    ranks = [{"win": 1.0, "tie": 1.5, "loss": 2.0}[verdict] for verdict in verdicts]
    mean_rank = sum(ranks) / len(ranks)
    counts = ", ".join(
        f"{verdicts.count(kind)} {plural}" for kind, plural in (("win", "wins"), ("tie", "ties"), ("loss", "losses"))
    )
    CONSOLE.print(f"A against B: {counts}; average rank A {mean_rank:.2f}, B {3 - mean_rank:.2f}")
    left_out = sorted(a["sources"].keys() ^ b["sources"].keys())
    if left_out:
        CONSOLE.print(f"Only one of the two has: {', '.join(left_out)}")
    return rows


def load_results(path: str, split: str) -> dict:
    """The content of a results file, given by its path or its run directory. Raises UserError if missing or invalid."""
    file = Path(path) / "results" / f"{split}.json" if Path(path).is_dir() else Path(path)
    try:
        content = json.loads(file.read_text("utf-8"))
        if not (content["protocol"] and content["sources"]):
            raise UserError(f"{file} has no source yet; run python -m alfa_md.evaluate first")
        _validate(content)
        return content
    except FileNotFoundError as error:
        raise UserError(f"no results at {file}; run python -m alfa_md.evaluate --run_dir={path} first") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file} is not a results file of this package") from error


def _validate(content: dict) -> None:
    """Raises KeyError or TypeError unless the unit is known and every source has scores."""
    unit_of(content)
    for record in content["sources"].values():
        record["scores"]


def unit_of(content: dict) -> Unit:
    """The unit of the scores in a results file's content."""
    return UNITS[content["protocol"]["unit"]]


def data_identity(data: dict) -> object:
    """The part of a source's data stamp that determines its episodes; image resizing is left out."""
    return data.get("spec") or {name: value for name, value in data.items() if name != "transform"}


def paired_rows(a: dict, b: dict) -> list[ComparisonRow]:
    """One row per source that both results have. Raises UserError if their episodes differ."""
    for key in EPISODE_KEYS:
        if a["protocol"][key] != b["protocol"][key]:
            raise UserError(f"not the same episodes: {key} is {a['protocol'][key]} in A and {b['protocol'][key]} in B")
    rows = []
    for name in (name for name in a["sources"] if name in b["sources"]):
        first, second = a["sources"][name], b["sources"][name]
        if data_identity(first["data"]) != data_identity(second["data"]):
            raise UserError(f"not the same episodes: {name} comes from different data in A and B; evaluate on one root")
        if first["episodes"] != second["episodes"]:
            raise UserError(
                f"{name}: {first['episodes']} episodes in A and {second['episodes']} in B; evaluate equally many"
            )
        x, y = first["scores"], second["scores"]
        rows.append(ComparisonRow(name, mean_ci(x), mean_ci(y), paired_difference(x, y), unit_of(a)))
    if not rows:
        raise UserError("the two results have no source in common")
    return rows


def comparison_table(title_a: str, title_b: str, rows: list[ComparisonRow]) -> Table:
    """Terminal table with one row per source: A, B, their paired difference and the verdict for A."""
    unit = rows[0].unit
    scale = unit_description(unit).removeprefix("accuracy in ")
    result = Table(title=f"A = {title_a}, B = {title_b} ({scale}, 95 % intervals)")
    for heading in ("source", "A", "B", "A - B", "A"):
        result.add_column(heading, justify="left" if heading == "source" else "right")
    for row in rows:
        result.add_row(row.source, *map(unit.text, (row.a, row.b, row.difference)), row.verdict)
    result.add_section()
    means = [
        sum(values) / len(rows) for values in zip(*((r.a.mean, r.b.mean, r.difference.mean) for r in rows), strict=True)
    ]
    result.add_row("mean", *map(unit.number, means), "")
    return result
