"""Two results on the same episodes: paired differences, wins, ties, losses and average ranks."""

import json
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from alfa_md.errors import UserError
from alfa_md.evaluation.tables import UNITS, in_words
from alfa_md.metrics import ACCURACY, MeanCI, Unit, mean_ci, paired_difference
from alfa_md.system.progress import CONSOLE

SAME = ("split", "seed", "sampling", "unit")  # what must agree for two results to be of the same episodes


class Row(NamedTuple):
    """One source: the two means and their paired difference a - b, of scores in this unit."""

    source: str
    a: MeanCI
    b: MeanCI
    difference: MeanCI
    unit: Unit = ACCURACY

    @property
    def verdict(self) -> str:
        """Who is better; a difference whose interval holds 0 is a tie."""
        if abs(self.difference.mean) <= self.difference.ci95:
            return "tie"
        return "win" if self.unit.sign * self.difference.mean > 0 else "loss"


def compare(path_a: str, path_b: str, split: str) -> list[Row]:
    """Prints the comparison of two run directories (or results files) and returns its rows."""
    a, b = load(path_a, split), load(path_b, split)
    rows = paired(a, b)
    CONSOLE.print(table(path_a, path_b, rows))
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


def load(path: str, split: str) -> dict:
    """The content of a results file, given itself or by its run directory. Raises UserError where there is none."""
    file = Path(path) / "results" / f"{split}.json" if Path(path).is_dir() else Path(path)
    try:
        content = json.loads(file.read_text())
        if not (content["protocol"] and content["sources"]):
            raise UserError(f"{file} has no source yet; run python -m alfa_md.evaluate first")
        _check(content)
        return content
    except FileNotFoundError as error:
        raise UserError(f"no results at {file}; run python -m alfa_md.evaluate --run_dir={path} first") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file} is not a results file of this package") from error


def _check(content: dict) -> None:
    """Raises KeyError or TypeError unless there is a known unit and every source has scores."""
    unit_of(content)
    for record in content["sources"].values():
        record["scores"]


def unit_of(content: dict) -> Unit:
    """The unit of the scores of a results file."""
    return UNITS[content["protocol"]["unit"]]


def drawn_from(data: dict) -> object:
    """What two stamps of a source must share for the same episodes; how images are resized does not matter."""
    return data.get("spec") or {name: value for name, value in data.items() if name != "transform"}


def paired(a: dict, b: dict) -> list[Row]:
    """A row for every source that both have. Raises UserError where the episodes are not the same."""
    for key in SAME:
        if a["protocol"][key] != b["protocol"][key]:
            raise UserError(f"not the same episodes: {key} is {a['protocol'][key]} in A and {b['protocol'][key]} in B")
    rows = []
    for name in (name for name in a["sources"] if name in b["sources"]):
        first, second = a["sources"][name], b["sources"][name]
        if drawn_from(first["data"]) != drawn_from(second["data"]):
            raise UserError(f"not the same episodes: {name} comes from different data in A and B; evaluate on one root")
        if first["episodes"] != second["episodes"]:
            raise UserError(
                f"{name}: {first['episodes']} episodes in A and {second['episodes']} in B; evaluate equally many"
            )
        x, y = first["scores"], second["scores"]
        rows.append(Row(name, mean_ci(x), mean_ci(y), paired_difference(x, y), unit_of(a)))
    if not rows:
        raise UserError("the two results have no source in common")
    return rows


def table(title_a: str, title_b: str, rows: list[Row]) -> Table:
    """Sources down; A, B, their paired difference and the verdict for A across; all in the unit of the scores."""
    unit = rows[0].unit
    scale = in_words(unit).removeprefix("accuracy in ")
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
