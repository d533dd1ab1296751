"""The section of RESULTS.md on few-shot Omniglot and beyond, from `python -m scripts.measure few_shot`."""

from pathlib import Path
from statistics import mean

import numpy as np

from alfa_md.metrics import ACCURACY, MeanCI, mean_ci
from scripts.studies import LEARNERS, SETTINGS, slug
from scripts.study import Runs, load_results

SOURCES = {"omniglot_images": "Omniglot", "quickdraw": "QuickDraw", "traffic_sign": "Traffic Signs"}
HEADER = """## Few-shot Omniglot, and from Omniglot to QuickDraw and Traffic Signs

4-CONV of 48 filters, 28 pixels, second order, five inner steps, updates of two episodes: the budget of a CPU, far from
convergence. Trained on 1100 characters of the complete Omniglot, their rotations included; tested on 600 episodes
of the 423 test characters, of 285 classes of a QuickDraw sample (those with 20 drawings or more), and of 43 classes of
a Traffic Signs sample. {machines}, one thread a run. Differences are to MAML on the same episodes, averaged over seeds.
"""
BEYOND = {
    "normalized": ("ALFA + MAML, state normalised per entry, without inert entries", "alfa_maml"),
    "per-channel": ("ALFA + MAML, rates per channel", "alfa_maml"),
    "maml-5-more": ("MAML, 5 more inner steps at test", "maml"),
    "alfa_maml-5-more": ("ALFA + MAML, 5 more inner steps at test", "alfa_maml"),
}


def section(store: Path) -> str:
    """The text of the section; variants without results are listed as unmeasured."""
    by_source = {source: load_results(store, source) for source in SOURCES}
    runs = by_source["omniglot_images"]
    machines = ", ".join(sorted({result["machine"] for seeds in runs.values() for result in seeds.values()}))
    parts = [HEADER.format(machines=machines or "Unmeasured")]
    for setting in SETTINGS:
        own = {title: (f"{slug(setting)}-{method}", f"{slug(setting)}-maml") for method, title in LEARNERS.items()}
        parts.append(accuracy_table(f"{setting}, {SETTINGS[setting][0]} updates, difference to MAML", own, by_source))
    one = slug("5-way 1-shot")
    beyond = {title: (f"{one}-{name}", f"{one}-{other}") for name, (title, other) in BEYOND.items()}
    parts.append(
        accuracy_table("beyond the paper, 5-way 1-shot, difference to the learner without it", beyond, by_source)
    )
    return "\n".join(parts)


def accuracy_table(title: str, rows: dict[str, tuple[str, str]], by_source: dict[str, Runs]) -> str:
    """Table of every variant's accuracy per source and its paired difference to another variant."""
    heads = [head for name in SOURCES.values() for head in (name, "difference")]
    lines = [f"| {title} | seeds | {' | '.join(heads)} | CPU minutes |", "|---" * (len(heads) + 3) + "|"]
    for row, (variant, other) in rows.items():
        seeds = by_source["omniglot_images"].get(variant, {})
        values = [text for runs in by_source.values() for text in format_comparison(runs, variant, other)]
        minutes = f"{mean(result['cpu_seconds'] for result in seeds.values()) / 60:.1f}" if seeds else ""
        lines.append(f"| {row} | {', '.join(map(str, sorted(seeds)))} | {' | '.join(values)} | {minutes} |")
    return "\n".join(lines) + "\n"


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
