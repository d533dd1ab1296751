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
from alfa_md.evaluation.leaderboard import ALL, ALL_SOURCES, IMAGENET, IMAGENET_ONLY, Row, leaderboard_row
from alfa_md.experiment.config import ROOT, differences

Bindings = Mapping[str, str]  # bindings of an operative config: name -> value as text
# Bindings that do not affect results.
IGNORED_BINDINGS = {"PRETRAINED", "reader", "decoder", "train.checkpoint_every", "train.log_every"}


# row -> source -> mean and interval, as fractions
PUBLISHED: dict[str, Row] = {
    "fo-MAML, ImageNet only": IMAGENET_ONLY["fo-MAML"],
    "fo-MAML + ALFA, ImageNet only": leaderboard_row(
        "51.09±1.17 67.89±1.43 66.34±1.17 67.67±1.06 65.34±0.95 60.53±1.13 37.41±1.00 84.28±0.97 60.86±1.43 40.05±1.14"
    ),
    "fo-Proto-MAML, ImageNet only": IMAGENET_ONLY["fo-Proto-MAML"],
    "fo-Proto-MAML + ALFA, ImageNet only": IMAGENET_ONLY["ALFA+fo-Proto-MAML"],
    "Prototypical networks, ImageNet only": IMAGENET_ONLY["ProtoNet"],
    "k-NN, ImageNet only": IMAGENET_ONLY["k-NN"],
    "fo-MAML, all sources": ALL_SOURCES["fo-MAML"],
    "fo-Proto-MAML, all sources": ALL_SOURCES["fo-Proto-MAML"],
    "Prototypical networks, all sources": ALL_SOURCES["ProtoNet"],
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
