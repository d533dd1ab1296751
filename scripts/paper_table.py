"""The paper's tables beside what has been measured here, from the stored results."""

import json
import math
from itertools import groupby
from pathlib import Path
from statistics import mean, stdev

from alfa_md.metrics import ACCURACY, SQUARED_ERROR, MeanCI, Unit
from scripts.paper_cells import ROOT, Cell, cells

RESULTS = ROOT / "results"
UNITS = {unit.name: unit for unit in (ACCURACY, SQUARED_ERROR)}
EXPLANATION = """## The paper's tables

Published numbers are the paper's; its ± are standard deviations of single answers over queries, not confidence
intervals, except in tables 3 and 8. Measured: the mean of one seed with its 95 % interval over episodes, or mean and
standard deviation over seeds; of the single best checkpoint by validation and of the ensemble of the best five (as the
paper tests). Tables 2, A, E and parts of 5 and 7 test networks that are trained for another row.
"""


def section(store: Path) -> str:
    """Every cell that has been measured, and how many have not."""
    parts = [EXPLANATION]
    for table, group in groupby(cells(), lambda cell: cell.table):
        found = list(group)
        done = [cell for cell in found if (store / cell.file).exists()]
        parts.append(f"### {table}: {len(done)} of {len(found)} cells measured\n")
        if done:
            parts += ["\n".join(rows(done, store)) + "\n", "\n".join(commands(done, store)) + "\n"]
    return "\n".join(parts)


def rows(done: list[Cell], store: Path) -> list[str]:
    """A markdown table of cells."""
    lines = ["| row | setting | paper | single best | ensemble | difference | updates | hours a seed | config |"]
    lines.append("|---" * 9 + "|")
    for cell in done:
        content = stored(cell, store)
        spent = f"{mean(content['hours']):.2f}"
        updates = ", ".join(map(str, dict.fromkeys(content["updates"])))
        values = [published(cell), *measured(cell, store), difference(cell, store), updates, spent, content["config"]]
        lines.append(f"| {cell.row} | {cell.setting} | " + " | ".join(values) + " |")
    return lines


def commands(done: list[Cell], store: Path) -> list[str]:
    """How they were measured, and on what."""
    return [f"    {stored(cell, store)['command']}  # {stored(cell, store)['machine']}" for cell in done]


def stored(cell: Cell, store: Path = RESULTS) -> dict | None:
    """The measurement of a cell, if there is one."""
    file = store / cell.file
    return json.loads(file.read_text()) if file.exists() else None


def published(cell: Cell) -> str:
    """The paper's number as printed."""
    if not cell.published:
        return cell.note
    return f"{cell.published}±{cell.spread}" + (f" ({cell.note})" if cell.note else "")


def measured(cell: Cell, store: Path = RESULTS) -> tuple[str, str]:
    """Single best and ensemble, empty where unmeasured."""
    content = stored(cell, store)
    if content is None:
        return "unmeasured", ""
    unit = UNITS[content["unit"]]
    return written(content["learners"]["single best"], unit), written(content["learners"]["ensemble"], unit)


def written(seeds: list[dict], unit: Unit) -> str:
    """One seed with its interval over episodes; several by mean and standard deviation."""
    if len(seeds) == 1:
        return unit.text(MeanCI(seeds[0]["mean"], seeds[0]["ci95"], seeds[0]["episodes"]))
    means = [seed["mean"] for seed in seeds]
    return f"{unit.number(mean(means))} (std {unit.number(stdev(means))}, {len(means)} seeds)"


def difference(cell: Cell, store: Path = RESULTS) -> str:
    """Measured, by the ensemble, minus published; empty where one is missing or not a number."""
    content = stored(cell, store)
    if content is None or not cell.published:
        return ""
    unit = UNITS[content["unit"]]
    value = unit.factor * mean(seed["mean"] for seed in content["learners"]["ensemble"]) - float(cell.published)
    return f"{value:+.{unit.digits}f}" if math.isfinite(value) else ""
