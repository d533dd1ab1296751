"""Published Meta-Dataset results, and the differences between a run's settings and the published ones.

Meta-Dataset (Triantafillou et al., ICLR 2020; its repository's leaderboard) and ALFA (Baik et al., NeurIPS 2020,
Table 3): percent, 95 % intervals over 600 test episodes per source. All but k-NN start from a backbone pretrained on
ImageNet; k-NN is that pretraining.
"""

import re
from ast import literal_eval
from collections.abc import Mapping
from dataclasses import fields
from typing import NamedTuple

from alfa_md.data.sampling import Sampling
from alfa_md.experiment.config import ROOT, differences
from alfa_md.experiment.definition import META_DATASET

Bindings = Mapping[str, str]  # bindings of an operative config: name -> value as text
IMAGENET = frozenset({"ilsvrc_2012"})
ALL = IMAGENET | {"aircraft", "cu_birds", "omniglot", "quickdraw", "vgg_flower", "dtd", "fungi"}
EPISODES = 600  # per source
# Bindings that do not affect results.
IGNORED_BINDINGS = {"PRETRAINED", "reader", "decoder", "train.checkpoint_every", "train.log_every"}


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
    """The learner, head, rule and training sources of a published row, and the gin file with all its settings."""

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
    """The bindings of a configuration that differ from the defaults; trailing comments are removed."""
    pairs = (line.split(": unset -> ", 1) for line in differences("", text))
    return {name: re.sub(r"\s+#.*", "", value) for name, value in pairs}


def resolve(bound: Bindings, name: str) -> str | None:
    """The value bound to a name with macros resolved; `@scope/Name()` becomes `Name`. None if not bound."""
    value = bound.get(name)
    for _ in bound:  # at most as many macros as bindings
        if value and value.startswith("%"):
            value = bound.get(value[1:])
    return value and (value.removeprefix("@").removesuffix("()").rpartition("/")[2] if value[0] == "@" else value)


def published_row(bound: Bindings) -> str | None:
    """The published row with a configuration's learner, head, rule and training sources, None if there is none."""
    learner = resolve(bound, "Experiment.learner")
    parts = [resolve(bound, f"{learner}.{part}") for part in ("head", "rule")]
    written = re.sub(r"%(\w+)", lambda macro: bound.get(macro[1], "''"), bound.get("Experiment.train_sources", "()"))
    sources = frozenset(_value(written))
    found = (name for name, setting in SETTINGS.items() if [*setting[:4]] == [learner, *parts, sources])
    return next(found, None)


def deviations(bound: Bindings, row: str) -> list[str]:
    """The bindings that differ from the gin file of a published row, as `name: value (published: value)`."""
    file = SETTINGS[row].file
    if file is None or not (ROOT / file).is_file():
        return ["the published settings are not part of this package, so that this run's are not checked"]
    return [
        f"{name}: {bound[name]} (published: {value})"
        for name, value in (_official_sampling() | _file_bindings(file)).items()
        if name in bound and name not in IGNORED_BINDINGS and _value(bound[name]) != _value(value)
    ]


def _official_sampling() -> dict[str, str]:
    """The benchmark's ways and shots: the defaults of Sampling, as bindings."""
    defaults = {f"Sampling.{field.name}": repr(field.default) for field in fields(Sampling)}
    return defaults | {f"train/{name}": value for name, value in defaults.items()}


def _file_bindings(file: str) -> dict[str, str]:
    """The bindings of a gin file of this package, includes resolved."""
    text = (ROOT / file).read_text("utf-8")
    included = [_file_bindings(other) for other in re.findall(r"^include '(.+)'", text, re.MULTILINE)]
    return {name: value for part in [*included, bindings(text)] for name, value in part.items()}


def _value(text: str) -> object:
    """A literal's Python value, or the text itself for anything else."""
    try:
        return literal_eval(text)
    except (ValueError, SyntaxError):
        return text
