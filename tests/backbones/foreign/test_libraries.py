"""Models of timm and torchvision by name: stand-ins of the same interface, and the libraries where installed."""

import sys

import pytest
import torch

from alfa_md.backbones.episodic import episodic
from alfa_md.backbones.foreign.libraries import timm_backbone, torchvision_backbone
from alfa_md.errors import UserError
from tests.backbones.foreign_networks import stand_in_timm, stand_in_torchvision


@pytest.fixture
def libraries(monkeypatch):
    torchvision = stand_in_torchvision()
    monkeypatch.setitem(sys.modules, "timm", stand_in_timm())
    monkeypatch.setitem(sys.modules, "torchvision", torchvision)
    monkeypatch.setitem(sys.modules, "torchvision.models", torchvision.models)


def test_a_model_of_timm_has_its_own_size_mean_and_deviation(libraries):
    made = timm_backbone("vit_small", options={"dim": 12})
    assert (made.image_size, made.num_features) == (8, 12)
    torch.testing.assert_close(made.scale.flatten(), 0.5 / torch.tensor([0.2, 0.3, 0.4]))
    torch.testing.assert_close(made.shift.flatten(), torch.tensor([0.0, 0.1 / 0.3, 0.2 / 0.4]))
    bound = timm_backbone("vit_small", mean=(0.5, 0.5, 0.5), deviation=(0.5, 0.5, 0.5))
    assert torch.equal(bound.scale.flatten(), torch.ones(3)) and not bound.shift.any()


def test_a_model_of_torchvision_is_without_its_classifier(libraries):
    made = torchvision_backbone("resnet_small", image_size=16)
    assert made.num_features == 6 and not any("fc." in name for name in made.state_dict())


@pytest.mark.parametrize(
    "make, arguments, line",
    [
        (
            timm_backbone,
            {"name": "vit_none"},
            r"^timm cannot make 'vit_none' \(RuntimeError: Unknown model \(vit_none\)",
        ),
        (
            torchvision_backbone,
            {"name": "x"},
            "^torchvision cannot make 'x' .ValueError: Unknown model x.; bind another",
        ),
        (timm_backbone, {"name": "hf-hub:a/b"}, "^timm_backbone.name = 'hf-hub:a/b' is no architecture; give the name"),
        (
            timm_backbone,
            {"name": "vit_small", "options": {"pretrained": True}},
            "^timm_backbone.options: 'pretrained' is not taken; PRETRAINED = FILE loads weights",
        ),
        (
            timm_backbone,
            {"name": "vit_small", "options": {"size": 3}},
            "^timm cannot make 'vit_small' .TypeError: .*size",
        ),
    ],
)
def test_what_a_library_does_not_make_is_refused(libraries, make, arguments, line):
    with pytest.raises(UserError, match=line):
        make(**arguments)


@pytest.mark.parametrize("make, name", [(timm_backbone, "timm"), (torchvision_backbone, "torchvision")])
def test_a_missing_library_is_named(monkeypatch, make, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=f"^{name} is not installed: pip install {name}"):
        make("resnet18")


@pytest.mark.parametrize("name", ["resnet18", "resnet26d", "vit_tiny_patch16_224", "convnext_atto", "seresnet18"])
def test_models_of_an_installed_timm(name):
    pytest.importorskip("timm")
    made = episodic(timm_backbone(name, image_size=64, **vit_options(name)))
    assert made(torch.randn(3, 3, 64, 64)).shape == (3, made.num_features)


def vit_options(name: str) -> dict:
    return {"options": {"img_size": 64}} if name.startswith("vit") else {}


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "convnext_tiny", "efficientnet_b0", "vit_b_16", "swin_t"])
def test_models_of_an_installed_torchvision(name):
    pytest.importorskip("torchvision")
    made = episodic(torchvision_backbone(name))
    assert made(torch.randn(2, 3, 64, 64)).shape == (2, made.num_features)
    assert not any(head in path for path in made.state_dict() for head in ("fc.", "heads.", "head.", "classifier.1"))
