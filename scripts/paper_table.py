"""The section of RESULTS.md with the paper's tables and our measurements, from the stored results."""

import math
from itertools import groupby
from pathlib import Path
from statistics import mean, stdev

from alfa_md.evaluation.tables import UNITS, record_mean
from alfa_md.metrics import MeanCI, Unit
from scripts.measurement import load_content
from scripts.paper_cells import Cell, Quoted, read_cells
from scripts.prose import formatted

EPISODES = 600  # of a measurement; other numbers are named
EXPLANATION = """## The paper's tables

Published numbers are the paper's; its ± are standard deviations of single answers over queries, not confidence
intervals, except in tables 3 and 8. Measured: one seed with its 95 % interval over episodes, or the mean over seeds
with their standard deviation and the mean interval; of the single best checkpoint by validation, and of the ensemble of
the best five where five are kept. The difference is that of the ensemble, where there is one. A network that is also
tested for another table is trained once. The paper's numbers of all cells: `gin/paper/cells.csv`; those that it quotes
from others in tables 1, B, C and D: `gin/paper/quoted.csv`, and `scripts/reproduce.sh tableD` prints them. Table C's
own rows are table 1's, table D's is table 3's. Table 8 at ten thousand updates stands above, among the sine curves.
Cells measured: {shares}.
"""


def section(store: Path) -> str:
    """The text of the section: what is measured, how much is not, and the numbers that the paper quotes."""
    everything = read_cells()
    by_table = {table: list(group) for table, group in groupby(sorted(everything, key=of_table), of_table)}
    shares = ", ".join(measured_share(table, group, store) for table, group in by_table.items())
    parts = [formatted(EXPLANATION, shares=shares)]
    for group in by_table.values():
        if found := measured(group, store):
            parts += ["\n".join(table_rows(found, store)) + "\n"]
    return "\n".join(parts)


def of_table(cell: Cell) -> str:
    return cell.table


def measured(group: list[Cell], store: Path) -> list[tuple[Cell, int | None]]:
    """The cells with a stored measurement, each with its number of updates."""
    return [(cell, n) for cell in group for n in cell.budgets(store) if load_measurement(cell, store, n)]


def measured_share(table: str, group: list[Cell], store: Path) -> str:
    """The number of cells of a table that are measured, of how many."""
    return f"{table} {len({cell for cell, _ in measured(group, store)})} of {len(group)}"


def commands(store: Path) -> list[str]:
    """A line for each measurement, with its machine."""
    contents = [load_measurement(cell, store, number) for cell, number in measured(read_cells(), store)]
    return [f"    {each['command']}  # {each['machine']}, {each['device']}" for each in contents]


def quoted_section(table: str, numbers: list[Quoted]) -> list[str]:
    """The quoted numbers of one table, one row per learner."""
    if not numbers:
        return []
    settings = list(dict.fromkeys(number.setting for number in numbers))
    lines = [
        f"| {table}, quoted from others, not measured | {' | '.join(settings)} | |",
        "|---" * (len(settings) + 2) + "|",
    ]
    for learner, group in groupby(numbers, lambda number: number.learner):
        values = {number.setting: number for number in group}
        note = next(iter(values.values())).note
        columns = [values[setting].published if setting in values else "" for setting in settings]
        lines.append(f"| {learner} | {' | '.join(columns)} | {note} |")
    return ["\n".join(lines) + "\n"]


def table_rows(found: list[tuple[Cell, int | None]], store: Path) -> list[str]:
    """The lines of a Markdown table of cells, each with a number of updates."""
    lines = ["| row | setting | paper | single best | ensemble | difference | updates | hours a seed | config |"]
    lines.append("|---" * 9 + "|")
    for cell, number in found:
        content = load_measurement(cell, store, number)
        values = [format_published(cell), *format_measured(cell, store, number), format_difference(cell, store, number)]
        values += run_columns(content) if content else [""] * 3
        lines.append(f"| {cell.row} | {cell.setting} | " + " | ".join(values) + " |")
    return lines


def run_columns(content: dict) -> list[str]:
    """Updates, hours per seed and hash of the configuration."""
    updates = ", ".join(map(str, dict.fromkeys(content["updates"])))
    return [updates, f"{mean(content['hours']):.2f}", content["config"]]


def load_measurement(cell: Cell, store: Path, num_updates: int | None = None) -> dict | None:
    """The stored measurement of a cell, None if there is none."""
    return load_content(store / cell.file(num_updates))


def format_published(cell: Cell) -> str:
    """The paper's number as published."""
    if not cell.published:
        return cell.note
    return f"{cell.published}±{cell.spread}" + (f" ({cell.note})" if cell.note else "")


def format_measured(cell: Cell, store: Path, num_updates: int | None = None) -> tuple[str, str]:
    """The results of the single best checkpoint and of the ensemble, which is empty if it has one member."""
    content = load_measurement(cell, store, num_updates)
    if content is None:
        return "unmeasured", ""
    unit, learners = UNITS[content["unit"]], content["learners"]
    several = content["members"] > 1
    return format_seeds(learners["single best"], unit), format_seeds(learners["ensemble"], unit) if several else ""


def format_seeds(seeds: list[dict], unit: Unit) -> str:
    """One seed with its interval over episodes; several by mean, mean interval and std; other numbers of episodes."""
    results = [record_mean(seed) for seed in seeds]
    means, interval = [result.mean for result in results], mean(result.ci95 for result in results)
    episodes, diverged = (sum(getattr(result, name) for result in results) for name in ("n", "diverged"))
    remarks = [f"{seeds[0]['episodes']} episodes"] if seeds[0]["episodes"] != EPISODES else []
    if len(seeds) > 1:
        spread = stdev(means) if math.isfinite(mean(means)) else math.nan
        remarks.append(f"std {unit.number(spread)}, {len(seeds)} seeds")
    text = unit.text(MeanCI(mean(means), interval, episodes, diverged))
    return text + (f" ({', '.join(remarks)})" if remarks else "")


def format_difference(cell: Cell, store: Path, num_updates: int | None = None) -> str:
    """Measured minus published; empty if one is missing or not finite."""
    content = load_measurement(cell, store, num_updates)
    if content is None or not cell.published:
        return ""
    unit = UNITS[content["unit"]]
    means = (record_mean(seed).mean for seed in content["learners"]["ensemble"])
    value = unit.factor * mean(means) - float(cell.published)
    return f"{value:+.{unit.digits}f}" if math.isfinite(value) else ""
