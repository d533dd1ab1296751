"""The section of RESULTS.md on sine curves, from the stored results of `python -m scripts.measure sine`."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from alfa_md.metrics import SQUARED_ERROR, MeanCI, mean_ci
from scripts.prose import formatted, unmeasured
from scripts.studies import CELLS, COMPARED, FURTHER, METHODS
from scripts.study import Runs, load_results

TITLES = {
    "maml": "MAML",
    "alfa": "ALFA + MAML",
    "control": "learned rate and decay per step and layer, no generator",
    "per-channel": "ALFA + MAML, rates per channel (not in the paper)",
    "lograte": "LogRate + MAML (not in the paper)",
    "lograte-no-generator": "LogRate + MAML, no generator",
}
COLUMNS = ("cell", "learner", "seeds", "squared error", "std", "each seed, 95 % interval")
COLUMNS = (*COLUMNS, "first 100", "median", "worst", "minutes")
BEYOND = {  # variant: (title, baseline variant)
    "normalized": ("ALFA + MAML, state normalised per entry", "alfa"),
    "per-channel": ("ALFA + MAML, rates per channel", "alfa"),
    "lograte-no-generator": (TITLES["lograte-no-generator"], "control"),
    "lograte": (TITLES["lograte"], "lograte-no-generator"),
    **{f"{name}-{n}-more": (f"{TITLES[name]}, {n} more inner steps at test", name) for name in FURTHER for n in (1, 5)},
    "maml-cosine": ("MAML, annealed by a cosine", "maml"),
    "alfa-flat": ("ALFA + MAML, not annealed", "alfa"),
}
DIVERGED = 1e6  # larger errors are not averaged
HEADER = """## Sine curves: Table 8 at ten thousand updates

The six cells of Table 8 at equal outer updates: 10 000 of 16 curves, outer gradients clipped to 10, second order,
five inner steps, the checkpoint with the best of ten validations on 600 curves. Adam at a flat 1e-3 for MAML, and
from 1e-3 down to 0 by a cosine for the others: each learner has the schedule that serves it better (the other one is
below). Test: the same 600 curves for every run, 100 even points each; the mean squared error of the first 100 curves
stands beside it, as the paper tests on 100, and the worst curve of all, since one that runs away can make a mean. A
seed that is not named has no result: its loss was no finite number at some update, which ends a run. At ten thousand
updates one test curve of 600 of 2x40 k=20 runs away under ALFA of seed 1 (the worst below), in every checkpoint of
that run and in the ensemble of its five best. Equal updates need not be ten thousand: after twice as many, of the
same schedules, no curve does. Differences are paired curve by curve, after averaging over the seeds; below 0, the
first is better. A curve diverges where its error is above a million or no number. {machines}, one thread a run, other
work beside it.
"""
LONGER = "2x40 k=20, 20 000 updates"


def section(store: Path) -> str:
    """The text of the section; cells without results are listed in a line."""
    runs = load_results(store, "sine")
    machines = ", ".join(sorted({result["machine"] for seeds in runs.values() for result in seeds.values()}))
    parts = [formatted(HEADER, machines=machines or "Unmeasured")]
    parts += [error_table(runs), comparison_table(runs), beyond_table(runs)]
    return "\n".join(parts)


def rows() -> Iterator[tuple[str, str, str]]:
    """Cell, title and variant of every row of `error_table`."""
    for (network, shots), method in product(CELLS, METHODS):
        yield f"{network} k={shots}", TITLES[method], f"{network}-k{shots}-{method}"
    for method in COMPARED:
        yield LONGER, TITLES[method], f"2x40-k20-{method}-longer"


def error_table(runs: Runs) -> str:
    """Table of all cells and methods: mean over seeds, each seed, first 100 curves, median and worst curve."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    lines += [
        f"| {cell} | {title} | {' | '.join(row_values(runs[name]))} |" for cell, title, name in rows() if name in runs
    ]
    missing = [f"{cell} {title}" for cell, title, name in rows() if name not in runs]
    return "\n".join([*lines, *unmeasured(missing)]) + "\n"


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
    """Table of ALFA relative to MAML, and paired differences of ALFA and LogRate to others."""
    heads = ("cell, paired curve by curve", "ALFA / MAML, each seed", "ALFA - MAML, 95 % interval")
    heads = (*heads, "ALFA - control", "each seed", "LogRate - ALFA", "LogRate - control")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for network, shots in CELLS:
        lines += comparison_row(runs, f"{network}-k{shots}-{{}}", f"{network} k={shots}")
    return "\n".join([*lines, *comparison_row(runs, "2x40-k20-{}-longer", LONGER)]) + "\n"


def comparison_row(runs: Runs, variant: str, title: str) -> list[str]:
    """The row of a cell if both ALFA and MAML have results; `variant` is a format string for the method."""
    maml, alfa, control, new = (runs.get(variant.format(method), {}) for method in FURTHER)
    ratios = ", ".join(f"{alfa[seed]['mean'] / maml[seed]['mean']:.2f}" for seed in sorted(alfa.keys() & maml.keys()))
    if not ratios:
        return []
    columns = [ratios, difference(alfa, maml), difference(alfa, control), each_difference(alfa, control)]
    columns += [difference(new, alfa), difference(new, control)]
    return [f"| {title} | " + " | ".join(columns) + " |"]


def beyond_table(runs: Runs) -> str:
    """Table of variants that are not in the paper, compared with their baselines."""
    heads = (
        "beyond the paper, 2x40 k=10",
        "seeds",
        "squared error",
        "against",
        "difference, 95 % interval",
        "each seed",
    )
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for variant, (title, other) in BEYOND.items():
        seeds, against = runs.get(f"2x40-k10-{variant}", {}), runs.get(f"2x40-k10-{other}", {})
        number, error = row_values(seeds)[:2]
        columns = [title, number, error, TITLES[other], difference(seeds, against), each_difference(seeds, against)]
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
