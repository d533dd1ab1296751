"""The section of RESULTS.md on ten sources of real images, from `python -m scripts.measure real_ten`."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from alfa_md.evaluation.ranks import average_ranks
from alfa_md.evaluation.tables import markdown_table
from alfa_md.experiment.definition import META_DATASET
from alfa_md.metrics import ACCURACY, MeanCI, mean_ci
from scripts.prose import formatted, unmeasured
from scripts.real_ten_study import OTHERS, REAL_TEN, TITLES
from scripts.study import read_stored

HEADER = """## Ten sources of real images

Trained on 62 classes of ilsvrc_2012 ("ImageNet only"), all choices made on 20 others, tested on 13 more and on nine
unseen sources. Four-layer network of 64 filters, 42 px, first pretrained as a classifier of the 62 classes; official
variable-way episodes of at most 10 ways and 100 support images in training, validation and test (`gin/real_ten/`).
All learners have as many updates of one episode at the same outer rate; the inner rate of a base learner is chosen
among three on validation, and its methods start from it. "Control" is ALFA without generator: rates and decays
learned per step and layer. Test: the same {episodes} episodes a source for every run, each averaged over the seeds
first; percent with 95 % intervals over episodes; "std" is of the seeds' means; ranks tie within intervals;
differences are paired. CPU minutes are of training with its validation at the chosen rate, {machines}, one thread a
run; those of the pretraining, the first row, come before all but "from scratch"; those of the test, with the
choices of a baseline, stand beside it.{choices}

These are samples: no number compares with a published one. aircraft is a sample of Cars, mscoco of Caltech-101, fungi
has other photos; ilsvrc_2012 is flat, without WordNet; dtd has ten classes, all for testing; pictures of one track of
traffic_sign look alike and may be in support and query, which makes it too easy.
"""
Results = dict[str, dict[int, dict]]  # variant -> seed -> stored result


def section(store: Path) -> str:
    """The text of the section; variants without results are listed in one line."""
    found = load(store)
    stored = [result for seeds in found.values() for result in seeds.values()]
    machines = ", ".join(sorted({result["machine"] for result in stored})) or "unmeasured"
    parts = [formatted(HEADER, episodes=REAL_TEN.num_episodes, machines=machines, choices=choices(found))]
    if found:
        parts += [accuracy_table(found), difference_table(found)]
    if missing := unmeasured([title for name, title in TITLES.items() if name not in found]):
        parts.append(f"{missing[-1]}\n")
    return "\n".join(parts)


def load(store: Path) -> Results:
    """The stored results by variant, in the order of `TITLES`. Raises UserError for a damaged file."""
    found: Results = {name: {} for name in TITLES}
    for path in sorted(store.glob("*.json")):
        result = read_stored(path)
        if result["variant"] in found:
            found[result["variant"]][result["seed"]] = result
    return {name: dict(sorted(seeds.items())) for name, seeds in found.items() if seeds}


def scores(seeds: Iterable[dict], source: str) -> np.ndarray:
    """The scores of every episode of a source [seeds, episodes]; an episode that diverged counts as 0."""
    return np.nan_to_num(np.array([result["sources"][source]["scores"] for result in seeds], dtype=np.float64))


def by_source(seeds: Iterable[dict]) -> dict[str, MeanCI]:
    """Mean and interval of every source, of episodes averaged over seeds."""
    seeds = list(seeds)
    return {source: mean_ci(scores(seeds, source).mean(0)) for source in META_DATASET}


def over_sources(results: Mapping[str, MeanCI]) -> MeanCI:
    """The mean over sources, whose episodes are independent of each other's."""
    means, halves, numbers, _ = zip(*results.values(), strict=True)
    return MeanCI(mean(means), math.hypot(*halves) / len(halves), sum(numbers))


def accuracy_table(found: Results) -> str:
    """Table of learners by sources; ranks are among those that start from the pretrained features."""
    main = {name: by_source(seeds.values()) for name, seeds in found.items() if not name.startswith(tuple(OTHERS))}
    ranks = average_ranks(main, ACCURACY)
    rows = {}
    for name, seeds in found.items():
        results = by_source(seeds.values())
        means = [over_sources(by_source([result])).mean for result in seeds.values()]
        spread = ACCURACY.number(stdev(means)) if len(means) > 1 else ""
        minutes = mean(result["cpu_seconds"] for result in seeds.values()) / 60
        cells = [", ".join(map(str, seeds)), *map(ACCURACY.interval, results.values())]
        cells += [ACCURACY.interval(over_sources(results)), spread, f"{ranks[name]:.2f}" if name in ranks else ""]
        cells += [mean_difference(found, name, other) for other in compared(name)]
        rows[TITLES[name]] = [*cells, f"{minutes:.1f}", test_minutes(seeds.values())]
    heads = ["learner", "seeds", *META_DATASET, "mean", "std", "rank", "- base", "- control", "CPU minutes", "of test"]
    return markdown_table(heads, rows)


def test_minutes(seeds: Iterable[dict]) -> str:
    """The mean CPU minutes of the tests that were made without interruption, "" if there is none."""
    known = [result["test_cpu_seconds"] for result in seeds if result["test_cpu_seconds"] is not None]
    return f"{mean(known) / 60:.1f}" if known else ""


def compared(name: str) -> tuple[str, str]:
    """The base learner and the control of a method, "" for what is itself one or has none."""
    base = REAL_TEN.variants[name].like
    control = f"{base}-control" if base else ""
    return base, "" if control == name else control


def mean_difference(found: Results, a: str, b: str) -> str:
    """The paired difference over all sources, "" where one has no result."""
    values = differences(found, a, b)
    return ACCURACY.interval(over_sources(values)) if values else ""


def difference_table(found: Results) -> str:
    """Table of paired differences by source: ALFA's to its base learner and control, fine-tuning's to ALFA."""
    bases = [name for name in TITLES if f"{name}-alfa" in TITLES]
    pairs = [(f"{base}-alfa", other) for base in bases for other in (base, f"{base}-control")]
    rows = {}
    for a, b in [*pairs, ("fine-tuning", "proto-maml-alfa")]:
        if values := differences(found, a, b):
            cells = map(ACCURACY.interval, [*values.values(), over_sources(values)])
            rows[f"{TITLES[a]} - {TITLES[b]}"] = [", ".join(map(str, shared(found, a, b))), *cells]
    return markdown_table(["A - B", "seeds", *META_DATASET, "mean"], rows) if rows else ""


def differences(found: Results, a: str, b: str) -> dict[str, MeanCI]:
    """The paired difference on every source, averaged per episode over common seeds; empty if there is none."""
    if not (seeds := shared(found, a, b)):
        return {}
    x, y = ([found[name][seed] for seed in seeds] for name in (a, b))
    return {source: mean_ci((scores(x, source) - scores(y, source)).mean(0)) for source in META_DATASET}


def shared(found: Results, a: str, b: str) -> list[int]:
    """The seeds that both variants have results of."""
    return sorted(found.get(a, {}).keys() & found.get(b, {}).keys())


def choices(found: Results) -> str:
    """The lengths, and the values that validation chose for every seed, "" for no results."""
    updates = sorted({result["updates"] for name, seeds in found.items() if trained(name) for result in seeds.values()})
    parts = [f" Updates: {', '.join(map(str, updates))}."] if updates else []
    for name, seeds in found.items():
        values = [chosen(result) for result in seeds.values()]
        if any(values):
            parts.append(f"Chosen for {TITLES[name]}: {', '.join(values)}.")
    return " ".join(parts)


def trained(name: str) -> bool:
    """Whether a variant is meta-trained."""
    return bool(REAL_TEN.variants[name].pretrained) or name.startswith("scratch-")


def chosen(result: dict) -> str:
    """The values that were chosen for a result, "" for none."""
    if "grid" in result:
        return result["bindings"][-1].split(" = ")[1]
    return " and ".join(f"{key.partition('.')[2]} {value}" for key, value in result.get("chosen", {}).items())
