"""The section of RESULTS.md on few-shot Omniglot and beyond, from `python -m scripts.measure few_shot`."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from statistics import mean

import numpy as np

from alfa_md.metrics import ACCURACY, MeanCI, mean_ci
from scripts.prose import formatted, unmeasured
from scripts.studies import LEARNERS, SETTINGS, slug
from scripts.study import Runs, load_results

SOURCES = {"omniglot_images": "Omniglot", "quickdraw": "QuickDraw", "traffic_sign": "Traffic Signs"}
HEADER = """## Few-shot Omniglot, and from Omniglot to QuickDraw and Traffic Signs

4-CONV of 48 filters, 28 pixels, second order, five inner steps, updates of two episodes: the budget of a CPU, far
from convergence. Trained on 1100 characters of the complete Omniglot, their rotations included; tested on 600
episodes of the 423 test characters, of 285 classes of a QuickDraw sample (those with 20 drawings or more), and of 43
classes of a Traffic Signs sample. {machines}, one thread a run. Differences are on the same episodes, averaged over
seeds: to MAML; beyond the paper, to the learner without the addition. Updates: {updates}.
"""
BEYOND = {
    "normalized": ("ALFA + MAML, state normalised per entry, without inert entries", "alfa_maml"),
    "per-channel": ("ALFA + MAML, rates per channel", "alfa_maml"),
    "maml-5-more": ("MAML, 5 more inner steps at test", "maml"),
    "alfa_maml-5-more": ("ALFA + MAML, 5 more inner steps at test", "alfa_maml"),
}


def section(store: Path) -> str:
    """The text of the section; variants without results are listed in a line."""
    by_source = {source: load_results(store, source) for source in SOURCES}
    runs = by_source["omniglot_images"]
    machines = ", ".join(sorted({result["machine"] for seeds in runs.values() for result in seeds.values()}))
    updates = ", ".join(f"{number} in {setting}" for setting, (number, *_) in SETTINGS.items())
    return formatted(HEADER, machines=machines or "Unmeasured", updates=updates) + "\n" + accuracy_table(by_source)


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Setting, title, variant, and the variant that the difference is to."""
    for setting, (method, title) in product(SETTINGS, LEARNERS.items()):
        yield setting, title, f"{slug(setting)}-{method}", f"{slug(setting)}-maml"
    one = "5-way 1-shot"
    for name, (title, other) in BEYOND.items():
        yield f"{one}, beyond the paper", title, f"{slug(one)}-{name}", f"{slug(one)}-{other}"


def accuracy_table(by_source: dict[str, Runs]) -> str:
    """Table of every variant's accuracy per source and its paired difference to another variant."""
    heads = [head for name in SOURCES.values() for head in (name, "difference")]
    lines = [f"| setting | learner | seeds | {' | '.join(heads)} | CPU minutes |", "|---" * (len(heads) + 4) + "|"]
    missing = []
    for setting, title, variant, other in rows():
        seeds = by_source["omniglot_images"].get(variant, {})
        if not seeds:
            missing.append(f"{title} in {setting}")
            continue
        values = [text for runs in by_source.values() for text in format_comparison(runs, variant, other)]
        minutes = f"{mean(result['cpu_seconds'] for result in seeds.values()) / 60:.1f}"
        lines.append(
            f"| {setting} | {title} | {', '.join(map(str, sorted(seeds)))} | {' | '.join(values)} | {minutes} |"
        )
    return "\n".join([*lines, *unmeasured(missing)]) + "\n"


def format_comparison(runs: Runs, variant: str, other: str) -> tuple[str, str]:
    """Mean over seeds with the mean interval over episodes, and the paired difference over common seeds."""
    mine, theirs = runs.get(variant, {}), runs.get(other, {})
    if not mine:
        return "unmeasured", ""
    means, intervals = ([result[key] for result in mine.values()] for key in ("mean", "ci95"))
    accuracy = ACCURACY.text(MeanCI(mean(means), mean(intervals), len(next(iter(mine.values()))["scores"])))
    shared = sorted(mine.keys() & theirs.keys()) if variant != other else []
    if not shared:
        return accuracy, ""
    x, y = ([each[seed]["scores"] for seed in shared] for each in (mine, theirs))
    return accuracy, ACCURACY.text(mean_ci(np.mean(np.subtract(x, y), axis=0)))
