"""Weight decay: the decayed tensors of every shipped configuration, and the rules of selection."""

import gin
import pytest
import torch
from torch import nn

from alfa_md.experiment import config, definition
from alfa_md.learners.weight_decay import decayed_parameters
from tests.backbones.rows import ROWS
from tests.shared import ROOT

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("gin", "gin/few_shot", "gin/paper")
    for path in (ROOT / folder).glob("*.gin")
    if path.name != "quickstart.gin"
)


# the decayed tensors of every backbone, head and classifier
DECAYED = {row.full.__name__: row.decayed for row in ROWS.values()} | {
    "ZeroHead": set(),
    "PrototypeHead": set(),
    "LearnedHead": {"weight"},
    "LinearClassifier": {"weight"},
    "ScaledCosineClassifier": set(),
}


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def test_the_number_of_decayed_tensors_of_every_image_backbone():
    sizes = {"FourLayerConvNet": 4, "Conv4": 4, "ResNet12": 16, "ResNet18": 21, "WideResNet": 19, "VitTiny": 13}
    assert {name: len(tensors) for name, tensors in DECAYED.items() if name in sizes} == sizes


@pytest.mark.parametrize("file", FILES)
def test_the_decayed_tensors_of_a_shipped_configuration(file):
    config.parse([file])
    with torch.device("meta"):
        learner = definition.build_experiment(0).learner
    parts = {name: type(part).__name__ for name, part in learner.named_children() if type(part).__name__ in DECAYED}
    expected = {f"{name}.{tensor}" for name, kind in parts.items() for tensor in DECAYED[kind]}
    expected |= {f"factors.{name}" for name, _ in getattr(learner, "factors", nn.Module()).named_parameters()}
    decayed = names_of(learner.decayed_parameters(), learner)
    assert "backbone" in parts and set(decayed) == expected and len(decayed) == len(expected)


def names_of(parameters: list[nn.Parameter], module: nn.Module) -> list[str]:
    own = {id(parameter): name for name, parameter in module.named_parameters()}
    return [own[id(parameter)] for parameter in parameters]


def decayed_names(module: nn.Module) -> set[str]:
    return set(names_of(decayed_parameters(module), module))


def test_linear_and_convolution_weights_of_any_module_are_decayed():
    encoder = nn.TransformerEncoderLayer(8, 2, 16)
    assert decayed_names(encoder) == {
        *("self_attn.in_proj_weight", "self_attn.out_proj.weight"),
        *("linear1.weight", "linear2.weight"),
    }
    assert decayed_names(nn.Sequential(nn.Conv1d(2, 3, 3), nn.Bilinear(2, 2, 2))) == {"0.weight", "1.weight"}


def test_scales_and_embeddings_are_never_decayed():
    assert not decayed_names(nn.Sequential(nn.LayerNorm((2, 3)), nn.RMSNorm((2, 3)), nn.Embedding(4, 5)))


def test_no_weight_decay_excludes_by_name_and_allows_unknown_names():
    """timm's vision transformers name their distillation token whether they have one or not."""

    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.pos_embed, self.kernel = (nn.Parameter(torch.zeros(1, 4, 8)) for _ in range(2))
            self.block = nn.Linear(8, 8)

        def no_weight_decay(self):
            return {"pos_embed", "cls_token", "dist_token"}

    assert decayed_names(Tokens()) == {"kernel", "block.weight"}
    assert decayed_names(nn.Sequential(Tokens())) == {"0.kernel", "0.block.weight"}
