"""The section of RESULTS.md on Omniglot, from the stored results of `python -m scripts.measure omniglot`."""

from pathlib import Path
from statistics import mean, stdev

import numpy as np

from alfa_md.metrics import ACCURACY, MeanCI, mean_ci, paired_difference
from scripts.prose import formatted
from scripts.studies import OMNIGLOT
from scripts.study import Runs, load_results

TITLES = {
    "prototypical": "Prototypical network",
    "maml": "fo-MAML (inner rate 0.1)",
    "maml-alfa": "fo-MAML + ALFA (inner rate 0.1)",
    "proto-maml-0.01": "fo-Proto-MAML, inner rate 0.01",
    "proto-maml-0.03": "fo-Proto-MAML, inner rate 0.03",
    "proto-maml-0.1": "fo-Proto-MAML, inner rate 0.1",
    "cpu-proto-maml": "fo-Proto-MAML, inner rate 0.01, about the CPU time of ALFA",
    "control": "fo-Proto-MAML, learned rate and decay per step and layer (ALFA without generator)",
    "ALFA": "fo-Proto-MAML + ALFA",
    "prototypical-long": "Prototypical network, about the CPU time of ALFA",
    "ALFA-long": "fo-Proto-MAML + ALFA, long",
    "prototypical-cosine": "Prototypical network, long",
    "ALFA-pretrained": "fo-Proto-MAML + ALFA after it, CPU time of both",
}
PAIRS = (
    ("ALFA", "best fo-Proto-MAML"),
    ("ALFA", "cpu-proto-maml"),
    ("ALFA", "control"),
    ("control", "best fo-Proto-MAML"),
    ("maml-alfa", "maml"),
    ("ALFA", "prototypical"),
    ("ALFA", "prototypical-long"),
    ("ALFA-pretrained", "prototypical-cosine"),
    ("ALFA-pretrained", "ALFA-long"),
)

HEADER = """## Real Omniglot, Meta-Dataset protocol

Complete Omniglot (1623 characters), converted with `python -m alfa_md.convert omniglot`. Meta-training on the 25
training alphabets with official bi-level variable-way episodes (training way <= 20, support <= 80), four-layer
convolutional network, 28 px, {machines}, one thread a run and other work beside it. Test: the same 600 official
episodes of the 20 evaluation alphabets for every run, so that differences are paired; each is averaged over the seeds
first. CPU time is of training with its validation, without the test. {ratio}
"""


def section(store: Path) -> str:
    """The text of the section; variants without results are listed as unmeasured."""
    runs = load_results(store, "omniglot")
    if not runs:
        raise SystemExit(f"nothing is stored in {store}; give --records_root_dir to measure")
    return "\n".join([header(runs), accuracy_table(runs), difference_table(runs)])


def header(runs: Runs) -> str:
    machines = sorted({result["machine"] for seeds in runs.values() for result in seeds.values()})
    return formatted(HEADER, machines=", ".join(machines), ratio=cpu_ratio(runs))


def accuracy_table(runs: Runs) -> str:
    lines = [
        "| learner | updates | test accuracy, mean of seeds | std | each seed, 95 % interval | CPU minutes |",
        "|---|---|---|---|---|---|",
    ]
    for variant, title in TITLES.items():
        seeds = runs.get(variant)
        if not seeds:
            lines.append(f"| {title} | | unmeasured | | | |")
            continue
        results = [seeds[seed] for seed in sorted(seeds)]
        means = [100 * result["mean"] for result in results]
        each = ", ".join(ACCURACY.text(MeanCI(r["mean"], r["ci95"], 600)) for r in results)
        spread = f"{stdev(means):.2f}" if len(means) > 1 else ""
        minutes = mean(cpu_minutes(runs, variant, seed) for seed in seeds)
        cells = [title, results[0]["updates"], f"{mean(means):.2f}", spread, each, f"{minutes:.1f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def cpu_minutes(runs: Runs, variant: str, seed: int) -> float:
    """The CPU time of a training, and of the one that it starts from."""
    names = filter(None, (variant, OMNIGLOT.variants[variant].pretrained))
    return sum(runs[name][seed]["cpu_seconds"] for name in names) / 60


def cpu_ratio(runs: Runs) -> str:
    """A sentence on the CPU time per update of ALFA relative to fo-Proto-MAML, over all its rates."""
    plain = [
        r["cpu_seconds"] / r["updates"] for name in runs if name.startswith("proto-maml-") for r in runs[name].values()
    ]
    alfa = [result["cpu_seconds"] / result["updates"] for result in runs.get("ALFA", {}).values()]
    if not (plain and alfa):
        return ""
    ratio = f"{mean(alfa) / mean(plain):.2f}"
    return f"An update of fo-Proto-MAML + ALFA took {ratio} times the CPU time of one of fo-Proto-MAML."


def best_proto_maml(runs: Runs) -> str:
    """The variant with the inner rate of the highest mean over the seeds common to all measured rates."""
    rates = [name for name in runs if name.startswith("proto-maml-")]
    shared = set.intersection(*(set(runs[name]) for name in rates)) if rates else set()
    return max(rates, key=lambda name: mean(runs[name][seed]["mean"] for seed in shared)) if shared else ""


def difference_table(runs: Runs) -> str:
    """Table of paired differences over common seeds, averaged per episode over seeds, then over episodes."""
    lines = ["| A - B, paired, in points | seeds | difference, 95 % interval | each seed |", "|---|---|---|---|"]
    best = best_proto_maml(runs)
    for a, b in PAIRS:
        b = best if b == "best fo-Proto-MAML" else b
        seeds = sorted(runs.get(a, {}).keys() & runs.get(b, {}).keys())
        if not seeds:
            continue
        x, y = ([runs[name][seed]["scores"] for seed in seeds] for name in (a, b))
        overall = ACCURACY.text(mean_ci(np.mean(np.subtract(x, y), axis=0)))
        each = ", ".join(ACCURACY.text(paired_difference(p, q)) for p, q in zip(x, y, strict=True))
        lines.append(f"| {TITLES[a]} - {TITLES[b]} | {', '.join(map(str, seeds))} | {overall} | {each} |")
    return "\n".join(lines) + "\n"
