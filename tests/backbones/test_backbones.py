"""The networks of Meta-Dataset: sizes, shapes, initialisation."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.backbones.resnet18 import ResNet18, align
from alfa_md.backbones.wide_resnet import SameConv2d, WideResNet


@pytest.mark.parametrize(
    "backbone, size, features, parameters, tensors",
    [
        (FourLayerConvNet, 84, 1600, 112_832, 12),
        (FourLayerConvNet, 126, 3136, 112_832, 12),
        (FourLayerConvNet, 28, 64, 112_832, 12),
        (ResNet18, 126, 512, 11_180_736, 63),
        (ResNet18, 84, 512, 11_180_736, 63),
        (WideResNet, 126, 128, 711_888, 45),
        (WideResNet, 84, 128, 711_888, 45),
    ],
)
def test_counts_and_feature_sizes(backbone, size, features, parameters, tensors):
    network = backbone()
    with torch.no_grad():
        assert network(torch.zeros(2, 3, size, size)).shape == (2, features)
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert len(list(network.parameters())) == tensors


@pytest.mark.parametrize("backbone", [FourLayerConvNet, ResNet18, WideResNet])
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


def test_wide_resnet_by_hand():
    """Every block: two BN, two 3x3 kernels, one 1x1 kernel on its shortcut; then the last BN."""
    blocks = [(16, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128)]
    counts = [2 * c + 9 * c * d + 2 * d + 9 * d * d + c * d for c, d in blocks]
    assert counts == [14_432, 19_584, 57_536, 78_080, 229_760, 311_808]
    network = WideResNet()
    assert [sum(p.numel() for p in block.parameters()) for group in network.groups for block in group] == counts
    assert 9 * 3 * 16 + sum(counts) + 2 * 128 == 711_888


@pytest.mark.parametrize("size, sizes", [(126, [126, 63, 32]), (84, [84, 42, 21]), (21, [21, 11, 6])])
def test_wide_resnet_grid_sizes(size, sizes):
    network, seen = WideResNet(), []
    for group in network.groups:
        group.register_forward_hook(lambda module, inputs, output: seen.append(output.shape[-1]))
    with torch.no_grad():
        network(torch.randn(1, 3, size, size))
    assert seen == sizes


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [5, 6, 7, 8])
def test_same_convolution_against_its_definition(size, stride):
    """ceil(S / stride) outputs; the zeros that they need are split in two halves, the larger at the end."""
    torch.manual_seed(0)
    layer, x = SameConv2d(2, 3, stride).double(), torch.randn(2, 2, size, size, dtype=torch.float64)
    outputs = -(-size // stride)
    before = max((outputs - 1) * stride + 3 - size, 0) // 2
    padded = torch.zeros(2, 2, size + 4, size + 4, dtype=torch.float64)
    padded[:, :, before : before + size, before : before + size] = x
    expected = torch.empty(2, 3, outputs, outputs, dtype=torch.float64)
    for i in range(outputs):
        for j in range(outputs):
            window = padded[:, :, stride * i : stride * i + 3, stride * j : stride * j + 3]
            expected[:, :, i, j] = torch.einsum("nchw,dchw->nd", window, layer.weight)
    torch.testing.assert_close(layer(x), expected)


def test_wide_resnet_block_against_its_definition():
    torch.manual_seed(0)
    block, x = WideResNet().double().groups[1][1], torch.randn(4, 64, 6, 6, dtype=torch.float64)

    def bn_relu(x):
        return F.relu((x - x.mean((0, 2, 3), True)) / (x.var((0, 2, 3), correction=0, keepdim=True) + 1e-5).sqrt())

    kernels = {tuple(p.shape): p for p in block.parameters() if p.ndim == 4}
    first, second = (p for p in block.parameters() if p.shape == (64, 64, 3, 3))
    a = bn_relu(x)
    inner = F.conv2d(bn_relu(F.conv2d(a, first, padding=1)), second, padding=1)
    torch.testing.assert_close(block(x), inner + F.conv2d(a, kernels[64, 64, 1, 1]))
