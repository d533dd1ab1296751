"""The section of RESULTS.md on predictions of pictures, from `python -m scripts.measure predictions`."""

import json
from collections import defaultdict
from itertools import product
from pathlib import Path

import numpy as np

from alfa_md.errors import UserError
from alfa_md.metrics import ACCURACY, MeanCI, mean_ci
from scripts.prediction_draws import ADAPTED, CENTROID, COSINE
from scripts.prediction_study import NUM_DRAWS, PRETRAIN, SOURCES, WAYS
from scripts.prose import formatted
from scripts.studies import PREDICTIONS
from scripts.study import shell_quote

TITLES = {
    "proto_maml": "fo-Proto-MAML after pretraining, no meta-training",
    "alfa": "fo-Proto-MAML + ALFA, 200 updates after pretraining",
}
HEADER = """## Predictions of pictures of other sources

What `python -m alfa_md.predict` makes of five labelled pictures a class, against two classifiers on the same
features, those of the backbone before adaptation: the nearest centroid, and the nearest neighbour by cosine. Real
pictures: samples of Grocery Store, AID (satellite) and CUB-200-2011 (cu_birds, of all splits: none was trained on);
the same shelf or place may be on several pictures of the first two. {draws} draws a row, the same for all, of 10
pictures a class to predict in 5 ways and 5 in 20. Four-layer network, 42 px, pretrained for 1500 batches of 64 on the
62 training classes of a mini-ImageNet sample (120 a class): far from convergence. {machines}, one thread a run, other
work beside it. Intervals are of 95 % over paired draws. {costs}
"""
HEADS = [
    f"{way} ways: {head}" if number == 0 else head
    for way in WAYS
    for number, head in enumerate(("adapted", CENTROID, COSINE, "adapted - centroid", "adapted - cosine"))
]
HEAD = f"| pictures | learner | seeds | {' | '.join(HEADS)} |"
Results = dict[tuple[str, str, int], dict[int, dict]]  # (variant, source, way) -> seed -> stored result


def section(store: Path) -> str:
    """The text of the section; what is not stored is listed as unmeasured."""
    found = load(store)
    stored = [result for seeds in found.values() for result in seeds.values()]
    machines = ", ".join(sorted({result["machine"] for result in stored})) or "Unmeasured"
    lines = [
        formatted(HEADER, draws=NUM_DRAWS, machines=machines, costs=costs(found)),
        HEAD,
        "|---" * HEAD.count("| ") + "|",
    ]
    for source, variant in product(SOURCES, PREDICTIONS.variants):
        by_way = [found.get((variant, source, way), {}) for way in WAYS]
        seeds = ", ".join(map(str, sorted(set().union(*by_way))))
        cells = [source, TITLES[variant], seeds, *(cell for seeds in by_way for cell in accuracies(seeds))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def load(store: Path) -> Results:
    """The stored results. Raises UserError for a damaged file."""
    found: Results = defaultdict(dict)
    for path in sorted(store.glob("*.json")):
        try:
            result = json.loads(path.read_bytes())
            scores = result["accuracies"]
            if len({len(scores[name]) for name in (ADAPTED, CENTROID, COSINE)}) != 1:
                raise ValueError("draws differ")
            found[result["variant"], result["source"], result["way"]][result["seed"]] = result
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} is no stored result; restore or remove it") from error
    return found


def accuracies(seeds: dict[int, dict]) -> list[str]:
    """The cells of one way; accuracies and differences of a draw are averaged over seeds first."""
    if not seeds:
        return ["unmeasured", "", "", "", ""]
    mean = {
        name: np.mean([result["accuracies"][name] for result in seeds.values()], axis=0)
        for name in (ADAPTED, CENTROID, COSINE)
    }
    cells = [ACCURACY.interval(mean_ci(scores)) for scores in mean.values()]
    return [*cells, *(difference(mean_ci(mean[ADAPTED] - mean[other])) for other in (CENTROID, COSINE))]


def difference(found: MeanCI) -> str:
    """A difference with its interval, and whether 0 lies in it."""
    return ACCURACY.interval(found) + (" (0 is not excluded)" if abs(found.mean) <= found.ci95 else "")


def costs(found: Results) -> str:
    """The CPU minutes of training and of the draws, of all that is stored."""
    parts = []
    for variant, title in TITLES.items():
        own = [result for (name, *_), seeds in found.items() if name == variant for result in seeds.values()]
        if own:
            training = max(result["training_cpu_seconds"] for result in own) / 60
            draws = sum(result["cpu_seconds"] for result in own) / 60
            parts.append(f"{title}: {training:.1f} CPU minutes of training with the pretraining, {draws:.1f} of draws.")
    return " ".join(parts) or "CPU minutes: unmeasured."


def measuring_command(found: Results) -> str:
    """The command that measures all of it."""
    seeds = sorted({seed for seeds in found.values() for seed in seeds}) or [0]
    return f"python -m scripts.measure predictions --records_root_dir=DATA --seeds={','.join(map(str, seeds))}"


def commands(store: Path) -> str:
    """The command that measures all, and the trainings that it runs, on records converted from DATA's pictures."""
    training = PREDICTIONS.training()
    lines = [measuring_command(load(store)), "", "It trains by these commands, after `alfa_md.convert folder` of the"]
    lines += ["mini-ImageNet pictures:", "", "```"]
    for name in training.variants:
        words = training.train_command(name, "RUN" if name != PRETRAIN else "PRETRAINED_RUN", 0, "RECORDS")
        words += [] if name == PRETRAIN else ["--gin_bindings=PRETRAINED = 'PRETRAINED_RUN'"]
        lines.append(f"# {name}\n" + " ".join(["python", *map(quoted, words)]))
    return "\n".join([*lines, "```", ""])


def quoted(word: str) -> str:
    """`shell_quote`, also for a value that has single quotes."""
    flag, _, value = word.partition("=")
    return f'{flag}="{value}"' if "'" in value else shell_quote(word)
