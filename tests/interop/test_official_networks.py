"""Converted official checkpoints: the same names and features, and a bit-equal round trip."""

import numpy as np
import pytest
import torch

from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.backbones.wide_resnet import WideResNet
from alfa_md.data.tfrecord.variables import read_variables
from alfa_md.experiment.checkpoint import load_backbone, load_checkpoint
from alfa_md.interop.checkpoint_bridge import convert_checkpoint
from alfa_md.interop.official_names import NETWORKS
from alfa_md.learners.prototypical import PrototypicalLearner
from tests.official_program import OfficialGraph

OURS = {"convnet": FourLayerConvNet, "resnet": ResNet18, "wide": WideResNet}


@pytest.fixture(scope="module")
def resnet(tf) -> OfficialGraph:
    return OfficialGraph(tf, "resnet18", size=17, seed=1, classifier=("linear_classifier", 5))


@pytest.fixture(scope="module")
def wide(tf) -> OfficialGraph:
    return OfficialGraph(tf, "wide_resnet", size=18, seed=3, classifier=("fc", 6))


def equal(a, b) -> bool:
    """True if names and arrays are equal bit for bit."""
    return a.keys() == b.keys() and all(
        a[name].dtype == b[name].dtype and a[name].shape == b[name].shape and (a[name] == b[name]).all() for name in a
    )


@pytest.mark.parametrize(("index", "name"), [(0, "resnet"), (1, "wide"), (2, "convnet")])
def test_the_names_and_shapes_are_those_of_the_official_graph(index, name, request):
    network, graph = NETWORKS[index], request.getfixturevalue(name)
    official = {name: value.shape for name, value in graph.values().items() if name.startswith(network.scope)}
    laid_out = {pair.official: pair.layout.to_official(np.empty(pair.shape)).shape for pair in network.backbone}
    assert laid_out == official


@pytest.mark.parametrize(("name", "size"), [("convnet", 32), ("resnet", 17), ("wide", 18)])
def test_features_are_equal_in_float64(name, size, request, tmp_path):
    """Pixels are multiples of 1 / 128 and 17 pixels become 33, so that even a float32 resize is exact.

    18 pixels are even and then odd at a stride of 2: both ways in which SAME pads.
    """
    graph = request.getfixturevalue(name)
    graph.save(tmp_path / "model_27500.ckpt")
    convert_checkpoint(f"{tmp_path}/model_27500.ckpt", f"{tmp_path}/model.pt")
    learner = PrototypicalLearner(OURS[name]())
    assert load_backbone(learner, tmp_path / "model.pt").updates == 27500
    images = np.random.default_rng(2).integers(-128, 128, (5, size, size, 3)) / 128
    with torch.no_grad():
        ours = learner.backbone.double()(torch.from_numpy(images).permute(0, 3, 1, 2))
    theirs = graph.embed(images)
    assert theirs.std() > 0.1
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["convnet", "resnet", "wide"])
def test_there_and_back_is_bit_equal_and_a_saver_restores_it(name, request, tmp_path):
    graph = request.getfixturevalue(name)
    graph.save(tmp_path / "model.ckpt")
    first = convert_checkpoint(f"{tmp_path}/model.ckpt", f"{tmp_path}/ours.pt")
    second = convert_checkpoint(f"{tmp_path}/ours.pt", f"{tmp_path}/back.ckpt")
    saved = graph.values()
    assert equal(read_variables(tmp_path / "back.ckpt"), saved)
    assert "left out, having no counterpart: 0" in second and "weight + " in first
    graph.restore(tmp_path / "back.ckpt")
    assert equal(graph.values(), saved)
    convert_checkpoint(f"{tmp_path}/back.ckpt", f"{tmp_path}/again.pt")
    assert equal(load_checkpoint(tmp_path / "again.pt")["learner"], load_checkpoint(tmp_path / "ours.pt")["learner"])
