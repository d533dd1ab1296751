"""Comparison of two results files or runs: differences, wins, ties, losses and average ranks."""

from pathlib import Path

from rich.table import Table

from alfa_md.errors import UserError
from alfa_md.evaluation.pairing import ComparisonRow, compare_records, require_same_protocol
from alfa_md.evaluation.results_file import read_results
from alfa_md.evaluation.tables import UNITS, unit_description
from alfa_md.metrics import Unit
from alfa_md.system.progress import CONSOLE

RANKS = {"win": 1.0, "tie": 1.5, "loss": 2.0}  # of A, by the verdict
PLURALS = {"win": "wins", "tie": "ties", "loss": "losses"}


def compare_results(path_a: str, path_b: str, split: str) -> list[ComparisonRow]:
    """Prints the comparison of two run directories or results files and returns its rows."""
    a, b = load_results(path_a, split), load_results(path_b, split)
    rows = paired_rows(a, b)
    CONSOLE.print(comparison_table(path_a, path_b, rows))
    CONSOLE.print(verdict_line([row.verdict for row in rows]))
    for note in (note for row in rows for note in row.notes):
        CONSOLE.print(note)
    left_out = sorted(a["sources"].keys() ^ b["sources"].keys())
    if left_out:
        CONSOLE.print(f"Only one of the two has: {', '.join(left_out)}")
    return rows


def verdict_line(verdicts: list[str]) -> str:
    """The number of wins, ties and losses of A, and the average ranks over the sources with a verdict."""
    counts = ", ".join(f"{verdicts.count(kind)} {plural}" for kind, plural in PLURALS.items())
    if undecided := verdicts.count("none"):
        counts += f", {undecided} without a verdict"
    ranks = [RANKS[verdict] for verdict in verdicts if verdict in RANKS]
    if not ranks:
        return f"A against B: {counts}"
    mean_rank = sum(ranks) / len(ranks)
    return f"A against B: {counts}; average rank A {mean_rank:.2f}, B {3 - mean_rank:.2f}"


def load_results(path: str, split: str) -> dict:
    """The content of a results file, given by its path or its run directory. Raises UserError if missing or invalid."""
    file = Path(path) / "results" / f"{split}.json" if Path(path).is_dir() else Path(path)
    try:
        content = read_results(file)
    except FileNotFoundError as error:
        raise UserError(f"no results at {file}; run python -m alfa_md.evaluate --run_dir={path} first") from error
    if not content["sources"]:
        raise UserError(f"{file} has no source yet; run python -m alfa_md.evaluate first")
    return content


def unit_of(content: dict) -> Unit:
    """The unit of the scores in a results file's content."""
    return UNITS[content["protocol"]["unit"]]


def paired_rows(a: dict, b: dict) -> list[ComparisonRow]:
    """One row per source that both results have. Raises UserError if their episodes differ."""
    require_same_protocol(a["protocol"], b["protocol"])
    common = [name for name in a["sources"] if name in b["sources"]]
    if not common:
        raise UserError("the two results have no source in common")
    return [compare_records(name, a["sources"][name], b["sources"][name], unit_of(a)) for name in common]


def comparison_table(title_a: str, title_b: str, rows: list[ComparisonRow]) -> Table:
    """Terminal table with one row per source: A, B, their difference and the verdict for A."""
    unit = rows[0].unit
    scale = unit_description(unit).removeprefix("accuracy in ")
    result = Table(title=f"A = {title_a}, B = {title_b} ({scale}, 95 % intervals)")
    for heading in ("source", "A", "B", "A - B", "A"):
        result.add_column(heading, justify="left" if heading == "source" else "right")
    for row in rows:
        result.add_row(row.source, unit.text(row.a), unit.text(row.b), unit.interval(row.difference), row.verdict)
    result.add_section()
    means = [
        sum(values) / len(rows) for values in zip(*((r.a.mean, r.b.mean, r.difference.mean) for r in rows), strict=True)
    ]
    result.add_row("mean", *map(unit.number, means), "")
    return result
