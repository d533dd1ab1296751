"""Weight decay: the tensors that it acts on, listed for every shipped configuration."""

import gin
import pytest
import torch

from alfa_md.experiment import config, definition
from tests.shared import ROOT

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("gin", "gin/few_shot", "gin/paper")
    for path in (ROOT / folder).glob("*.gin")
    if path.name != "quickstart.gin"
)


def names(*patterns: str, **values: object) -> set[str]:
    """The patterns with every combination of the values, such as `names("{i}.weight", i=range(2))`."""
    if not values:
        return set(patterns)
    (key, options), *others = values.items()
    filled = (pattern.replace(f"{{{key}}}", str(value)) for pattern in patterns for value in options)
    return names(*filled, **dict(others))


# the decayed tensors of every backbone, head and classifier
DECAYED = {
    "FourLayerConvNet": names("layers.{i}.0.weight", i=range(4)),
    "Conv4": names("layers.{i}.0.weight", i=range(4)),
    "ResNet12": names("blocks.{i}.residual.{j}.weight", "blocks.{i}.shortcut.0.weight", i=range(4), j=(0, 3, 6)),
    "ResNet18": {"stem.0.weight"}
    | names("stages.{i}.{j}.residual.{k}.weight", i=range(4), j=range(2), k=(0, 3))
    | names("stages.{i}.0.shortcut.0.weight", i=range(4)),
    "WideResNet": {"stem.weight"}
    | names("groups.{i}.{j}.residual.{k}.weight", i=range(3), j=range(2), k=(0, 3))
    | names("groups.{i}.{j}.shortcut.weight", i=range(3), j=range(2)),
    "RegressionMLP": set(),
    "ZeroHead": set(),
    "PrototypeHead": set(),
    "LearnedHead": {"weight"},
    "LinearClassifier": {"weight"},
    "ScaledCosineClassifier": set(),
}
SIZES = {name: len(tensors) for name, tensors in DECAYED.items()}


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def test_the_number_of_decayed_tensors_of_every_part():
    convolutions = {"FourLayerConvNet": 4, "Conv4": 4, "ResNet12": 16, "ResNet18": 21, "WideResNet": 19}
    assert {name: size for name, size in SIZES.items() if size > 1} == convolutions


@pytest.mark.parametrize("file", FILES)
def test_the_decayed_tensors_of_a_shipped_configuration(file):
    config.parse([file])
    with torch.device("meta"):
        learner = definition.build(0).learner
    parts = {name: type(part).__name__ for name, part in learner.named_children() if type(part).__name__ in DECAYED}
    expected = {f"{name}.{tensor}" for name, kind in parts.items() for tensor in DECAYED[kind]}
    own = {id(parameter): name for name, parameter in learner.named_parameters()}
    decayed = [own[id(parameter)] for parameter in learner.decayed()]
    assert "backbone" in parts and set(decayed) == expected and len(decayed) == len(expected)
