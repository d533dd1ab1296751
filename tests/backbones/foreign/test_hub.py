"""Models of transformers by configuration: what is built of it, what is not heard, and how weights are placed."""

import json
import sys
from pathlib import Path

import pytest
import torch

from alfa_md.backbones.episodic import episodic
from alfa_md.backbones.foreign.adapter import IMAGENET_MEAN
from alfa_md.backbones.foreign.features import patch_mean
from alfa_md.backbones.foreign.hub import hub_backbone, model_configuration
from alfa_md.errors import UserError
from alfa_md.experiment.key_report import compare
from tests.backbones.foreign_networks import DINOV2, VIT, dinov2

CONVNET = {"model_type": "resnet", "embedding_size": 4, "hidden_sizes": [4, 8], "depths": [1, 1], "layer_type": "basic"}


def folder(path: Path, configuration: object, preprocessing: object = None) -> Path:
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps(configuration))
    if preprocessing is not None:
        (path / "preprocessor_config.json").write_text(json.dumps(preprocessing))
    return path


def test_a_folder_gives_architecture_size_mean_and_deviation(tmp_path):
    pixels = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.25, 0.5], "size": {"height": 8}}
    made = hub_backbone(str(folder(tmp_path, DINOV2, pixels)))
    assert made.image_size == made.num_features == 8
    assert made.scale.flatten().tolist() == [1, 2, 1] and made.shift.flatten().tolist() == [0, 0, 0]
    assert hub_backbone(str(tmp_path), mean=IMAGENET_MEAN).shift.flatten()[0] == pytest.approx(0.03, rel=1e-5)
    stored = model_configuration(str(tmp_path))
    assert stored == DINOV2 | {"image_mean": [0.5] * 3, "image_std": [0.5, 0.25, 0.5]}
    assert torch.equal(hub_backbone(stored).scale, made.scale)


def test_code_kernels_and_other_arithmetic_are_not_heard(tmp_path):
    """Neither code beside the configuration is imported, nor code of the hub named in it."""
    (tmp_path / "trap.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w')\n")
    unheard = {
        "auto_map": {"AutoConfig": "trap.Config", "AutoModel": "trap.Model"},
        "_attn_implementation": "owner/kernel",
        "attn_implementation": "owner/kernel",
        "quantization_config": {"quant_method": "owner"},
        "torch_dtype": "float16",
        "dtype": "float16",
        "id2label": {"0": "x"},
    }
    nested = folder(tmp_path, DINOV2 | {"vision_config": unheard | {"hidden_size": 8}})
    assert model_configuration(str(nested))["vision_config"] == {"id2label": {"0": "x"}, "hidden_size": 8}
    assert model_configuration(str(folder(tmp_path, DINOV2 | unheard))) == DINOV2
    made = hub_backbone(DINOV2 | unheard)
    assert not (tmp_path / "trace").exists() and "trap" not in sys.modules
    assert {tensor.dtype for tensor in made.parameters()} == {torch.float32}
    assert made.network.config._attn_implementation == "sdpa"


def test_a_pooler_that_is_random_in_most_files_is_left_out():
    names = {name for name, _ in hub_backbone(VIT).named_parameters()}
    assert not any("pooler" in name for name in names) and "network.layernorm.weight" in names


def test_convolutional_models_are_made_episodic():
    made = episodic(hub_backbone(CONVNET, image_size=32))
    assert made(torch.randn(3, 3, 20, 20)).shape == (3, 8)
    tokens = hub_backbone(DINOV2, features=patch_mean())
    x = torch.randn(2, 3, 8, 8)
    expected = tokens.network(x * tokens.scale + tokens.shift).last_hidden_state[:, 1:].mean(1)
    torch.testing.assert_close(tokens(x), expected)


def test_weights_of_another_shape_and_missing_ones_are_reported():
    torch.manual_seed(0)
    ours, theirs = dinov2(), hub_backbone(DINOV2 | {"image_size": 16})
    file = {name.removeprefix("network."): tensor for name, tensor in theirs.state_dict().items()}
    del file["layernorm.bias"]
    report = compare(ours.state_dict(), ours.own_names(file | {"classifier.weight": torch.ones(3, 8)}))
    assert report.missing == ("network.layernorm.bias",) and report.unexpected == ("classifier.weight",)
    assert report.shapes[0].startswith(
        "network.embeddings.position_embeddings float32[1, 17, 8] in the file, float32[1, 5"
    )
    assert len(report.taken) == report.of - 2
    assert compare(ours.state_dict(), ours.own_names({"x.weight": torch.ones(3)})).unexpected == ("x.weight",)


@pytest.mark.parametrize(
    "model, line",
    [
        (
            {"hidden_size": 8},
            "^hub_backbone.model: is not the configuration of a model; it must have a model_type such",
        ),
        (DINOV2 | {"model_type": "x"}, "^hub_backbone.model: transformers cannot make this model .KeyError: 'x'.; use"),
        (DINOV2 | {"hidden_size": "8"}, "^hub_backbone.model: transformers cannot make this model .*hidden_size"),
        (
            DINOV2 | {"image_std": [1, 0, 1]},
            r"^hub_backbone.model: image_std = \[1, 0, 1\] must be three numbers, those",
        ),
        (DINOV2 | {"image_mean": 0.5}, "^hub_backbone.model: image_mean = 0.5 must be three numbers"),
        (CONVNET, "^hub_backbone.model does not say what images the model takes; bind hub_backbone.image_size"),
        (VIT | {"image_size": [8, 16]}, "^hub_backbone.model does not say what images the model takes"),
    ],
)
def test_configurations_that_are_refused(model, line):
    with pytest.raises(UserError, match=line):
        hub_backbone(model)


def test_folders_that_are_refused(tmp_path):
    with pytest.raises(UserError, match="has no config.json; name a folder that"):
        hub_backbone(str(tmp_path))
    folder(tmp_path, [])
    with pytest.raises(UserError, match="config.json: must be an object; use the file as its publisher wrote it"):
        hub_backbone(str(tmp_path))


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match=r"^transformers is not installed: pip install 'alfa_md\[hub\]'"):
        hub_backbone(DINOV2)
