"""The accuracies that the papers print for Meta-Dataset, and how far a run is from the setting of its row.

Meta-Dataset (Triantafillou et al., ICLR 2020; its repository's leaderboard) and ALFA (Baik et al., NeurIPS 2020,
Table 3): percent, 95 % intervals over 600 test episodes a source. All but the k-NN, which is that
pretraining, start from a backbone pretrained on ImageNet.
"""

import re
from ast import literal_eval
from collections.abc import Mapping
from dataclasses import fields
from typing import NamedTuple

from alfa_md.data.sampling import Sampling
from alfa_md.experiment.config import ROOT, differences
from alfa_md.experiment.definition import META_DATASET

Bindings = Mapping[str, str]  # what an operative configuration binds, as text
IMAGENET = frozenset({"ilsvrc_2012"})
ALL = IMAGENET | {"aircraft", "cu_birds", "omniglot", "quickdraw", "vgg_flower", "dtd", "fungi"}
EPISODES = 600  # of every source
# Bindings that change no number of a result.
HARMLESS = {"PRETRAINED", "reader", "decoder", "train.checkpoint_every", "train.log_every"}


def _row(text: str) -> dict[str, tuple[float, float]]:
    cells = (cell.split("±") for cell in text.split())
    return {name: (float(mean), float(ci)) for name, (mean, ci) in zip(META_DATASET, cells, strict=True)}


# row -> source -> (mean, ci95) in percent
PUBLISHED = {
    "fo-MAML, ImageNet only": _row(
        "45.51±1.11 55.55±1.54 56.24±1.11 63.61±1.06 68.04±0.81 43.96±1.29 32.10±1.10 81.74±0.83 50.93±1.51 35.30±1.23"
    ),
    "fo-MAML + ALFA, ImageNet only": _row(
        "51.09±1.17 67.89±1.43 66.34±1.17 67.67±1.06 65.34±0.95 60.53±1.13 37.41±1.00 84.28±0.97 60.86±1.43 40.05±1.14"
    ),
    "fo-Proto-MAML, ImageNet only": _row(
        "49.53±1.05 63.37±1.33 55.95±0.99 68.66±0.96 66.49±0.83 51.52±1.00 39.96±1.14 87.15±0.69 48.83±1.09 43.74±1.12"
    ),
    "fo-Proto-MAML + ALFA, ImageNet only": _row(
        "52.80±1.11 61.87±1.51 63.43±1.10 69.75±1.05 70.78±0.88 59.17±1.16 41.49±1.17 85.96±0.77 60.78±1.29 48.11±1.14"
    ),
    "Prototypical networks, ImageNet only": _row(
        "50.50±1.08 59.98±1.35 53.10±1.00 68.79±1.01 66.56±0.83 48.96±1.08 39.71±1.11 85.27±0.77 47.12±1.10 41.00±1.10"
    ),
    "k-NN, ImageNet only": _row(
        "41.03±1.01 37.07±1.15 46.81±0.89 50.13±1.00 66.36±0.75 32.06±1.08 36.16±1.02 83.10±0.68 44.59±1.19 30.38±0.99"
    ),
    "fo-MAML, all sources": _row(
        "37.83±1.01 83.92±0.95 76.41±0.69 62.43±1.08 64.16±0.83 59.73±1.10 33.54±1.11 79.94±0.84 42.91±1.31 29.37±1.08"
    ),
    "fo-Proto-MAML, all sources": _row(
        "46.52±1.05 82.69±0.97 75.23±0.76 69.88±1.02 68.25±0.81 66.84±0.94 41.99±1.17 88.72±0.67 52.42±1.08 41.74±1.13"
    ),
    "Prototypical networks, all sources": _row(
        "44.50±1.05 79.56±1.12 71.14±0.86 67.01±1.02 65.18±0.84 64.88±0.89 40.26±1.13 86.85±0.71 46.48±1.00 39.87±1.06"
    ),
}


class Setting(NamedTuple):
    """What makes a run one of a row: learner, head, rule and training sources; and the gin file with its values."""

    learner: str
    head: str | None
    rule: str | None
    sources: frozenset[str]
    file: str | None


SETTINGS = {
    "fo-MAML, ImageNet only": Setting("GradientLearner", "ZeroHead", "sgd", IMAGENET, "gin/maml.gin"),
    "fo-MAML + ALFA, ImageNet only": Setting("GradientLearner", "ZeroHead", "alfa", IMAGENET, "gin/maml_alfa.gin"),
    "fo-Proto-MAML, ImageNet only": Setting("GradientLearner", "PrototypeHead", "sgd", IMAGENET, "gin/proto_maml.gin"),
    "fo-Proto-MAML + ALFA, ImageNet only": Setting(
        "GradientLearner", "PrototypeHead", "alfa", IMAGENET, "gin/proto_maml_alfa.gin"
    ),
    "Prototypical networks, ImageNet only": Setting(
        "PrototypicalLearner", None, None, IMAGENET, "gin/prototypical.gin"
    ),
    "k-NN, ImageNet only": Setting("BaselineLearner", None, None, IMAGENET, "gin/pretrain_imagenet_resnet.gin"),
    "fo-MAML, all sources": Setting("GradientLearner", "ZeroHead", "sgd", ALL, "gin/maml_all.gin"),
    "fo-Proto-MAML, all sources": Setting("GradientLearner", "PrototypeHead", "sgd", ALL, "gin/proto_maml_all.gin"),
    "Prototypical networks, all sources": Setting("PrototypicalLearner", None, None, ALL, None),
}


def bindings(text: str) -> dict[str, str]:
    """What a configuration binds: everything in which it differs from an empty one; comments at line ends dropped."""
    pairs = (line.split(": unset -> ", 1) for line in differences("", text))
    return {name: re.sub(r"\s+#.*", "", value) for name, value in pairs}


def resolved(bound: Bindings, name: str) -> str | None:
    """The value bound to a name, through macros; `@scope/Name()` as Name. None where nothing is bound."""
    value = bound.get(name)
    for _ in bound:  # a chain of macros is no longer than that
        if value and value.startswith("%"):
            value = bound.get(value[1:])
    return value and (value.removeprefix("@").removesuffix("()").rpartition("/")[2] if value[0] == "@" else value)


def row_of(bound: Bindings) -> str | None:
    """The published row of a configuration's learner, head, rule and training sources; None where there is none."""
    learner = resolved(bound, "Experiment.learner")
    parts = [resolved(bound, f"{learner}.{part}") for part in ("head", "rule")]
    written = re.sub(r"%(\w+)", lambda macro: bound.get(macro[1], "''"), bound.get("Experiment.train_sources", "()"))
    sources = frozenset(_value(written))
    found = (name for name, setting in SETTINGS.items() if [*setting[:4]] == [learner, *parts, sources])
    return next(found, None)


def deviations(bound: Bindings, row: str) -> list[str]:
    """The bindings in which a configuration differs from the gin file of a row, as `name: run's (published: value)`."""
    file = SETTINGS[row].file
    if file is None or not (ROOT / file).is_file():
        return ["the published settings are not part of this package, so that this run's are not checked"]
    return [
        f"{name}: {bound[name]} (published: {value})"
        for name, value in (_official_sampling() | _file_bindings(file)).items()
        if name in bound and name not in HARMLESS and _value(bound[name]) != _value(value)
    ]


def _official_sampling() -> dict[str, str]:
    """The benchmark's ways and shots, which are the defaults of Sampling."""
    defaults = {f"Sampling.{field.name}": repr(field.default) for field in fields(Sampling)}
    return defaults | {f"train/{name}": value for name, value in defaults.items()}


def _file_bindings(file: str) -> dict[str, str]:
    """What a gin file of this package binds, with its includes."""
    text = (ROOT / file).read_text()
    included = [_file_bindings(other) for other in re.findall(r"^include '(.+)'", text, re.MULTILINE)]
    return {name: value for part in [*included, bindings(text)] for name, value in part.items()}


def _value(text: str) -> object:
    """A number or tuple whatever its spelling; a reference as it is written."""
    try:
        return literal_eval(text)
    except (ValueError, SyntaxError):
        return text
