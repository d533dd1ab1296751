"""The section of RESULTS.md on sine curves, from the stored results of `python -m scripts.measure sine`."""

from pathlib import Path
from statistics import mean, stdev

import numpy as np

from alfa_md.metrics import SQUARED_ERROR, MeanCI, mean_ci
from scripts.studies import CELLS, COMPARED, FURTHER
from scripts.study import Runs, load_results

TITLES = {
    "maml": "MAML",
    "alfa": "ALFA + MAML",
    "control": "learned rate and decay per step and layer, no generator",
}
NEW = {"per-channel": "ALFA + MAML, rates per channel", "lograte": "LogRate + MAML"}  # rules that are not in the paper
COLUMNS = ("cell", "learner", "seeds", "squared error", "std", "each seed, 95 % interval")
COLUMNS = (*COLUMNS, "first 100", "median", "worst", "minutes")
HEAD = (f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|")
MORE = "{}-1-more", "{}-5-more"
BEYOND = {  # title: (variants, baseline variant)
    "ALFA + MAML, state normalised per entry": (["normalized"], "alfa"),
    "LogRate + MAML, no generator": (["lograte-no-generator"], "control"),
    "LogRate + MAML": (["lograte"], "lograte-no-generator"),
    **{
        f"{(TITLES | NEW)[name]}, 1 / 5 more inner steps at test": ([form.format(name) for form in MORE], name)
        for name in FURTHER
    },
    "MAML, annealed by a cosine": (["maml-cosine"], "maml"),
    "ALFA + MAML, not annealed": (["alfa-flat"], "alfa"),
}
DIVERGED = 1e6  # larger errors are not averaged
HEADER = """## Sine curves: Table 8 at ten thousand updates

The six cells of Table 8 at equal outer updates: 10 000 of 16 curves, outer gradients clipped to 10, second order, five
inner steps, the checkpoint with the best of ten validations on 600 curves. Adam at a flat 1e-3 for MAML, and from 1e-3
down to 0 by a cosine for the others: each learner has the schedule that serves it better (the other one is below).
Test: the same 600 curves for every run, 100 even points each; the mean squared error of the first 100 curves stands
beside it, as the paper tests on 100, and the worst curve of all, since one that runs away can make a mean. A seed that
is not named has no result: its loss was no finite number at some update, which ends a run.
{machines}, one thread a run, other work beside it.
"""
LONGER = "The curve that runs away under ALFA of seed 1 above (the worst) does so in every checkpoint; here none does."


def section(store: Path) -> str:
    """The text of the section; cells without results are listed as unmeasured."""
    runs = load_results(store, "sine")
    machines = ", ".join(sorted({result["machine"] for seeds in runs.values() for result in seeds.values()}))
    parts = [HEADER.format(machines=machines or "Unmeasured")]
    parts += [error_table(runs), comparison_table(runs), longer_table(runs), new_table(runs), beyond_table(runs)]
    return "\n".join(parts)


def error_table(runs: Runs) -> str:
    """Table of all cells and methods: mean over seeds, each seed, first 100 curves, median and worst curve."""
    lines = [*HEAD]
    for network, shots in CELLS:
        for method, title in TITLES.items():
            name = f"| {network} k={shots} | {title} "
            lines.append(name + "| " + " | ".join(row_values(runs.get(f"{network}-k{shots}-{method}", {}))) + " |")
    return "\n".join(lines) + "\n"


def row_values(seeds: dict[int, dict]) -> list[str]:
    """The columns of a row of `error_table` for the measured seeds."""
    if not seeds:
        return ["", "unmeasured", *[""] * 6]
    results, number = [seeds[seed] for seed in sorted(seeds)], SQUARED_ERROR.number
    means = [result["mean"] for result in results]
    each = ", ".join(SQUARED_ERROR.text(MeanCI(r["mean"], r["ci95"], len(r["scores"]))) for r in results)
    hundred = mean(mean(result["scores"][:100]) for result in results)
    median = mean(float(np.median(result["scores"])) for result in results)
    spread = number(stdev(means)) if len(means) > 1 and np.isfinite(means).all() else ""
    minutes = f"{mean(result['cpu_seconds'] for result in results) / 60:.1f}"
    return [
        ", ".join(map(str, sorted(seeds))),
        number(mean(means)) if mean(means) < DIVERGED else "diverges",
        spread,
        each,
        number(hundred),
        number(median),
        number(max(max(result["scores"]) for result in results)),
        minutes,
    ]


def comparison_table(runs: Runs) -> str:
    """Table of ALFA relative to MAML, and paired differences of ALFA to MAML and to the control."""
    lines = ["Differences are paired curve by curve, after averaging over the seeds; below 0, ALFA is better.", ""]
    lines += [
        "| cell | ALFA / MAML, each seed | ALFA - MAML, 95 % interval | ALFA - control | each seed |",
        "|---" * 5 + "|",
    ]
    for network, shots in CELLS:
        lines += comparison_row(runs, f"{network}-k{shots}-{{}}", f"{network} k={shots}")
    return "\n".join([*lines, *comparison_row(runs, "2x40-k20-{}-longer", "2x40 k=20, 20 000 updates")]) + "\n"


def comparison_row(runs: Runs, variant: str, title: str) -> list[str]:
    """The row of a cell if both ALFA and MAML have results; `variant` is a format string for the method."""
    maml, alfa, control = (runs.get(variant.format(method), {}) for method in COMPARED)
    ratios = ", ".join(f"{alfa[seed]['mean'] / maml[seed]['mean']:.2f}" for seed in sorted(alfa.keys() & maml.keys()))
    if not ratios:
        return []
    columns = [ratios, difference(alfa, maml), difference(alfa, control), each_difference(alfa, control)]
    return [f"| {title} | " + " | ".join(columns) + " |"]


def longer_table(runs: Runs) -> str:
    """Table of the cell with a diverging test curve at ten thousand updates, after twice as many."""
    lines = ["### 2x40 k=20 at twenty thousand updates", "", LONGER, "", *HEAD]
    for method in COMPARED:
        name = f"| 2x40 k=20 | {TITLES[method]} "
        lines.append(name + "| " + " | ".join(row_values(runs.get(f"2x40-k20-{method}-longer", {}))) + " |")
    return "\n".join(lines) + "\n"


def new_table(runs: Runs) -> str:
    """Table of the rules that are not in the paper: error and worst curve, and paired differences of LogRate."""
    others = {"alfa": "ALFA", "control": "control", "per-channel": "per channel"}
    columns = [
        "cell",
        *(f"{title}; worst, seeds" for title in NEW.values()),
        *(f"LogRate - {o}" for o in others.values()),
    ]
    lines = ["### Rules that are not in the paper", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for network, shots in CELLS:
        cell = {method: runs.get(f"{network}-k{shots}-{method}", {}) for method in (*NEW, *others)}
        errors = [brief_error(cell[method]) for method in NEW]
        differences = [difference(cell["lograte"], cell[other]) for other in others]
        lines.append("| " + " | ".join([f"{network} k={shots}", *errors, *differences]) + " |")
    return "\n".join(lines) + "\n"


def brief_error(seeds: dict[int, dict]) -> str:
    """Mean error, worst curve and seeds of a row of `error_table`."""
    number, error, *_, worst, _ = row_values(seeds)
    return f"{error}; {worst}, seeds {number}" if seeds else error


def beyond_table(runs: Runs) -> str:
    """Table of variants that are not in the paper, compared with their baselines."""
    lines = ["### Further variants, 2x40 k=10; a curve diverges where its error is above a million or no number", ""]
    lines += ["| learner | seeds | squared error | against | difference, 95 % interval | each seed |", "|---" * 6 + "|"]
    for title, (variants, other) in BEYOND.items():
        rows, against = [runs.get(f"2x40-k10-{variant}", {}) for variant in variants], runs.get(f"2x40-k10-{other}", {})
        number, errors = row_values(rows[0])[0], " / ".join(row_values(row)[1] for row in rows)
        columns = [title, number, errors, (TITLES | NEW).get(other, "no generator")]
        columns += [" / ".join(compare(row, against) for row in rows) for compare in (difference, each_difference)]
        lines.append("| " + " | ".join(columns) + " |")
    return "\n".join(lines) + "\n"


def difference(a: dict[int, dict], b: dict[int, dict]) -> str:
    """The paired difference averaged over common seeds."""
    seeds = sorted(a.keys() & b.keys())
    if not seeds:
        return ""
    x, y = ([runs[seed]["scores"] for seed in seeds] for runs in (a, b))
    return format_difference(np.mean(np.subtract(x, y), axis=0))


def format_difference(differences: np.ndarray) -> str:
    """Mean and interval, or the number of diverging curves if there are any."""
    number = int((~(np.abs(differences) < DIVERGED)).sum())
    return f"{number} of {len(differences)} curves diverge" if number else SQUARED_ERROR.text(mean_ci(differences))


def each_difference(a: dict[int, dict], b: dict[int, dict]) -> str:
    """The paired difference for every common seed."""
    seeds = sorted(a.keys() & b.keys())
    return ", ".join(format_difference(np.subtract(a[seed]["scores"], b[seed]["scores"])) for seed in seeds)
