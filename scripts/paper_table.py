"""The paper's tables beside what has been measured here, from the stored results."""

import json
import math
from itertools import groupby
from pathlib import Path
from statistics import mean, stdev

from alfa_md.metrics import ACCURACY, SQUARED_ERROR, MeanCI, Unit
from scripts.paper_cells import Cell, Quoted, cells, quoted

UNITS = {unit.name: unit for unit in (ACCURACY, SQUARED_ERROR)}
EXPLANATION = """## The paper's tables

Published numbers are the paper's; its ± are standard deviations of single answers over queries, not confidence
intervals, except in tables 3 and 8. Measured: one seed with its 95 % interval over episodes, or the mean over seeds
with their standard deviation and the mean interval; of the single best checkpoint by validation, and of the ensemble of
the best five where five are kept. The difference is that of the ensemble, where there is one. A network that is also
tested for another table is trained once. Table C's own rows are table 1's, table D's is table 3's. Table 8 at ten
thousand updates stands above, among the sine curves.
"""


def section(store: Path) -> str:
    """Every cell, measured or not, and what the paper quotes."""
    parts = [EXPLANATION]
    everything, others = cells(), quoted()
    for table in sorted({cell.table for cell in everything} | {number.table for number in others}):
        parts += own(table, [cell for cell in everything if cell.table == table], store)
        parts += quotations(table, [number for number in others if number.table == table])
    return "\n".join(parts)


def own(table: str, group: list[Cell], store: Path) -> list[str]:
    """The cells of one table, if there are any, and the commands of what is measured."""
    found = [(cell, number) for cell in group for number in cell.budgets(store)]
    done = [content for cell, number in found if (content := stored(cell, store, number))]
    commands = [f"    {each['command']}  # {each['machine']}, {each['device']}" for each in done]
    parts = [f"### {table}: {len(done)} measured\n", "\n".join(rows(found, store)) + "\n"] if group else []
    return parts + (["\n".join(commands) + "\n"] if commands else [])


def quotations(table: str, numbers: list[Quoted]) -> list[str]:
    """What the paper's table quotes, a learner a line."""
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


def rows(found: list[tuple[Cell, int | None]], store: Path) -> list[str]:
    """A markdown table of cells and numbers of updates."""
    lines = ["| row | setting | paper | single best | ensemble | difference | updates | hours a seed | config |"]
    lines.append("|---" * 9 + "|")
    for cell, number in found:
        content = stored(cell, store, number)
        values = [published(cell), *measured(cell, store, number), difference(cell, store, number)]
        values += how(content) if content else [""] * 3
        lines.append(f"| {cell.row} | {cell.setting} | " + " | ".join(values) + " |")
    return lines


def how(content: dict) -> list[str]:
    """Updates, hours a seed and the fingerprint of the configuration."""
    updates = ", ".join(map(str, dict.fromkeys(content["updates"])))
    return [updates, f"{mean(content['hours']):.2f}", content["config"]]


def stored(cell: Cell, store: Path, num_updates: int | None = None) -> dict | None:
    """A measurement of a cell, if there is one."""
    file = store / cell.file(num_updates)
    return json.loads(file.read_text()) if file.exists() else None


def published(cell: Cell) -> str:
    """The paper's number as printed."""
    if not cell.published:
        return cell.note
    return f"{cell.published}±{cell.spread}" + (f" ({cell.note})" if cell.note else "")


def measured(cell: Cell, store: Path, num_updates: int | None = None) -> tuple[str, str]:
    """Single best and ensemble; the latter empty where it has one member."""
    content = stored(cell, store, num_updates)
    if content is None:
        return "unmeasured", ""
    unit, learners = UNITS[content["unit"]], content["learners"]
    several = content["members"] > 1
    return written(learners["single best"], unit), written(learners["ensemble"], unit) if several else ""


def written(seeds: list[dict], unit: Unit) -> str:
    """One seed with its interval over episodes; several by mean, standard deviation and mean interval."""
    means, interval = [seed["mean"] for seed in seeds], mean(seed["ci95"] for seed in seeds)
    text = unit.text(MeanCI(mean(means), interval, seeds[0]["episodes"]))
    return text if len(seeds) == 1 else f"{text} (std {unit.number(stdev(means))}, {len(seeds)} seeds)"


def difference(cell: Cell, store: Path, num_updates: int | None = None) -> str:
    """Measured minus published; empty where one is missing or not a number."""
    content = stored(cell, store, num_updates)
    if content is None or not cell.published:
        return ""
    unit = UNITS[content["unit"]]
    value = unit.factor * mean(seed["mean"] for seed in content["learners"]["ensemble"]) - float(cell.published)
    return f"{value:+.{unit.digits}f}" if math.isfinite(value) else ""
