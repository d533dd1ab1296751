"""Weights of other libraries as initial weights, in the layout of each, and the refusal under a share."""

from functools import partial
from pathlib import Path

import pytest
import torch

from alfa_md.backbones.episodic import episodic
from alfa_md.backbones.foreign.adapter import ForeignBackbone
from alfa_md.backbones.foreign.libraries import without_classifier
from alfa_md.errors import UserError
from alfa_md.experiment.pretraining import load_pretrained, resolve_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.experiment.safetensors_file import write_safetensors
from alfa_md.experiment.torch_archive import DamagedCheckpoint
from alfa_md.heads import PrototypeHead
from alfa_md.learners.gradient import GradientLearner
from alfa_md.rules.sgd import sgd
from tests.backbones.foreign_networks import (
    DINOV2,
    TimmVisionTransformer,
    TorchvisionResNet,
    dinov2,
    timm_vit,
    torchvision_resnet,
)


def learner_of(backbone) -> GradientLearner:
    return GradientLearner(backbone, PrototypeHead(), partial(sgd, inner_rate=0.1), num_steps=1)


def loaded(backbone, path: Path, share: float = 0.9):
    return load_pretrained(learner_of(backbone), path, share)


def test_a_checkpoint_of_torchvision(tmp_path):
    """A zip file of a whole state_dict; the features are those of the network itself, by the moments of the batch."""
    theirs = TorchvisionResNet()
    torch.save(theirs.state_dict(), tmp_path / "resnet-f37072fd.pth")
    ours = torchvision_resnet()
    start = loaded(ours, tmp_path / "resnet-f37072fd.pth")
    assert start.report.share == 1 and start.report.unexpected == ("fc.bias", "fc.weight")
    assert start.stamp.startswith(f"{tmp_path / 'resnet-f37072fd.pth'}, 100 % of the values, hash ")
    x = torch.randn(5, 3, 16, 16)
    expected = without_classifier(theirs).train()(x * ours.scale + ours.shift)
    torch.testing.assert_close(ours(x), expected, rtol=1e-4, atol=1e-5)


def test_a_checkpoint_of_timm_in_half_precision_and_under_a_key(tmp_path):
    theirs = TimmVisionTransformer().half()
    file = {f"module.{name}": tensor for name, tensor in theirs.state_dict().items()}
    torch.save({"epoch": 1, "state_dict": file | {"module.head.weight": torch.ones(9, 8)}}, tmp_path / "w.pth.tar")
    ours = timm_vit()
    assert loaded(ours, tmp_path / "w.pth.tar").report.share == 1
    assert torch.equal(ours.network.pos_embed, theirs.pos_embed.float())


def test_a_safetensors_file_of_timm(tmp_path):
    theirs = TimmVisionTransformer()
    write_safetensors(tmp_path / "w.safetensors", theirs.state_dict(), {"format": "pt"})
    ours = timm_vit()
    assert loaded(ours, tmp_path / "w.safetensors").report.averages == 3
    assert torch.equal(ours.network.pos_embed, theirs.pos_embed)


def test_a_model_of_transformers_as_its_folder_a_classifier_and_a_file(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.Dinov2Config.from_dict(DINOV2)
    base, classifier = transformers.Dinov2Model(config), transformers.Dinov2ForImageClassification(config)
    base.save_pretrained(tmp_path / "base")
    classifier.save_pretrained(tmp_path / "classifier")
    torch.save(classifier.state_dict(), tmp_path / "w.bin")
    x = torch.randn(4, 3, 8, 8)
    for theirs, path in (
        (base, tmp_path / "base"),
        (base, tmp_path / "base" / "model.safetensors"),
        (classifier.dinov2, tmp_path / "classifier"),
        (classifier.dinov2, tmp_path / "w.bin"),
    ):
        ours = dinov2()
        before = torch.get_rng_state()
        start = loaded(ours, path)
        assert start.report.share == 1 and torch.equal(torch.get_rng_state(), before)
        assert all(name.startswith("classifier.") for name in start.report.unexpected)
        with torch.no_grad():
            expected = theirs.eval()(x * ours.scale + ours.shift).pooler_output if theirs is base else None
            if expected is not None:
                torch.testing.assert_close(ours(x), expected)
        assert torch.equal(ours.network.embeddings.position_embeddings, theirs.embeddings.position_embeddings)


def test_a_model_of_another_size_is_refused_with_the_report_and_nothing_is_loaded(tmp_path):
    write_safetensors(tmp_path / "w.safetensors", TimmVisionTransformer(dim=12).state_dict(), {})
    ours = timm_vit()
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    with pytest.raises(
        UserError, match=r"w.safetensors does not fit the backbone: 4 of 34 tensors taken, .* %"
    ) as line:
        loaded(ours, tmp_path / "w.safetensors")
    assert "other shape: network.cls_token float32[1, 1, 12] in the file, float32[1, 1, 8] in" in str(line.value)
    assert "or bind Experiment.pretrained_share, now 0.9, to less" in str(line.value)
    assert all(torch.equal(before[name], tensor) for name, tensor in ours.state_dict().items())
    assert loaded(ours, tmp_path / "w.safetensors", share=0.01).report.share > 0.01


def test_a_value_that_is_not_finite_is_refused(tmp_path):
    file = TimmVisionTransformer().state_dict()
    file["pos_embed"] = torch.full_like(file["pos_embed"], torch.nan)
    write_safetensors(tmp_path / "w.safetensors", file, {})
    with pytest.raises(DamagedCheckpoint, match="network.pos_embed has 40 of 40 values that are not finite"):
        loaded(timm_vit(), tmp_path / "w.safetensors")


def test_a_backbone_without_running_averages_leaves_those_of_the_file(tmp_path):
    torch.save(TorchvisionResNet().state_dict(), tmp_path / "w.pth")
    backbone = episodic(ForeignBackbone(without_classifier(TorchvisionResNet()), 16))
    assert loaded(backbone, tmp_path / "w.pth").report.averages == 18


def test_a_configuration_is_random_and_a_folder_is_weights(tmp_path):
    run = RunDirectory(tmp_path / "run")
    assert resolve_checkpoint(DINOV2, run, None) is None
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    assert resolve_checkpoint(str(tmp_path / "model"), run, None) == tmp_path / "model"
    with pytest.raises(UserError, match="Experiment.pretrained = {'a': 1} is no run directory"):
        resolve_checkpoint({"a": 1}, run, None)
