"""Names of all tensors in both programs, and conversion between layouts."""

import numpy as np
import pytest

from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.backbones.wide_resnet import WideResNet
from alfa_md.interop.official_names import CONV_WEIGHT, LINEAR_WEIGHT, NETWORKS, NORM_PARAMETER, VECTOR

SIZES = {"resnet18": (ResNet18, 63), "wide_resnet": (WideResNet, 45), "four_layer_convnet": (FourLayerConvNet, 12)}


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.scope)
def test_every_tensor_of_our_backbone_has_one_official_name(network):
    backbone, tensors = SIZES[network.scope]
    own = {f"backbone.{name}": tuple(value.shape) for name, value in backbone().state_dict().items()}
    assert {pair.ours: pair.shape for pair in network.backbone} == own
    assert len({pair.official for pair in network.backbone}) == len(network.backbone) == len(own) == tensors
    assert all(pair.official.startswith(f"{network.scope}/") for pair in network.backbone)


def test_names_spelt_out():
    names = {pair.official: pair.ours for network in NETWORKS for pair in (*network.backbone, *network.classifiers)}
    block = "resnet18/conv4_x/bottleneck_0"
    assert names["resnet18/conv1/batch_norm/offset"] == "backbone.stem.1.bias"
    assert names[f"{block}/conv2/batch_norm/scale"] == "backbone.stages.2.0.residual.4.weight"
    assert names[f"{block}/identity/projection_conv/weight"] == "backbone.stages.2.0.shortcut.0.weight"
    assert names["four_layer_convnet/layer_3/weight"] == "backbone.layers.3.0.weight"
    assert (names["linear_classifier/weight"], names["fc/bias"]) == ("head.weight", "classifier.bias")


@pytest.mark.parametrize(
    ("layout", "official", "ours"),
    [
        (CONV_WEIGHT, (5, 6, 3, 4), (4, 3, 5, 6)),
        (NORM_PARAMETER, (1, 1, 1, 4), (4,)),
        (LINEAR_WEIGHT, (3, 4), (4, 3)),
        (VECTOR, (4,), (4,)),
    ],
)
def test_a_layout_and_its_inverse(layout, official, ours):
    values = np.arange(np.prod(official)).reshape(official)
    assert layout.to_ours(values).shape == ours
    assert np.array_equal(layout.to_official(layout.to_ours(values)), values)
