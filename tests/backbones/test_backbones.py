"""The networks of Meta-Dataset: sizes, shapes, initialisation."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.backbones.resnet18 import ResNet18, align


@pytest.mark.parametrize(
    "backbone, size, features, parameters, tensors",
    [
        (FourLayerConvNet, 84, 1600, 112_832, 12),
        (FourLayerConvNet, 126, 3136, 112_832, 12),
        (FourLayerConvNet, 28, 64, 112_832, 12),
        (ResNet18, 126, 512, 11_180_736, 63),
        (ResNet18, 84, 512, 11_180_736, 63),
    ],
)
def test_counts_and_feature_sizes(backbone, size, features, parameters, tensors):
    network = backbone()
    with torch.no_grad():
        assert network(torch.zeros(2, 3, size, size)).shape == (2, features)
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert len(list(network.parameters())) == tensors


@pytest.mark.parametrize("backbone", [FourLayerConvNet, ResNet18])
def test_kernels_start_from_a_normal_cut_at_two_sigma(backbone):
    torch.manual_seed(0)
    kernels = torch.cat([m.weight.flatten() for m in backbone().modules() if isinstance(m, nn.Conv2d)])
    assert kernels.abs().max() <= 0.2
    assert kernels.std().item() == pytest.approx(0.0880, abs=0.001)  # std of N(0, 0.1^2) cut at two sigma
    assert all(m.bias is None for m in backbone().modules() if isinstance(m, nn.Conv2d))


def test_resnet_grid_sizes_at_129_pixels():
    """65 after the first convolution, then 33, 33, 17, 9, 5; the odd sizes make padding symmetric."""
    network, sizes = ResNet18(), []
    for module in [network.stem[0], network.stem[3], *network.stages]:
        module.register_forward_hook(lambda module, inputs, output: sizes.append(output.shape[-1]))
    with torch.no_grad():
        network(torch.zeros(1, 3, 126, 126) + torch.arange(126.0))
    assert sizes == [65, 33, 33, 17, 9, 5]


@pytest.mark.parametrize("size, aligned", [(84, 97), (126, 129), (224, 225)])
def test_inputs_are_aligned_to_a_multiple_of_32_plus_one(size, aligned):
    x = torch.randn(1, 3, size, size)
    out = align(x)
    assert out.shape[-1] == aligned
    torch.testing.assert_close(out[..., [0, 0, -1, -1], [0, -1, 0, -1]], x[..., [0, 0, -1, -1], [0, -1, 0, -1]])


def test_four_layer_features_are_in_the_order_height_width_channel():
    network = FourLayerConvNet(num_filters=5)
    x = torch.randn(3, 3, 32, 32)
    grid = network.layers(x)
    torch.testing.assert_close(network(x)[:, 5:10], grid[:, :, 0, 1])
    assert F.relu(grid).equal(grid)
