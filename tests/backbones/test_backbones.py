"""Definitions of single backbones: layers, sizes of feature maps, initialisation; see also `test_contract.py`."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.backbones.mlp import RegressionMLP
from alfa_md.backbones.resnet12 import ResNet12
from alfa_md.backbones.resnet18 import ResNet18, align
from alfa_md.backbones.wide_resnet import SameConv2d, WideResNet
from alfa_md.errors import UserError
from alfa_md.heads import LearnedHead
from alfa_md.normalization import EpisodicBatchNorm


@pytest.mark.parametrize("backbone", [FourLayerConvNet, ResNet18, WideResNet])
def test_weights_are_initialised_from_a_truncated_normal(backbone):
    torch.manual_seed(0)
    weights = torch.cat([m.weight.flatten() for m in backbone().modules() if isinstance(m, nn.Conv2d)])
    assert weights.abs().max() <= 0.2
    assert weights.std().item() == pytest.approx(0.0880, abs=0.001)  # std of N(0, 0.1^2) cut at two sigma
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


def test_four_layer_convnet_flattens_height_width_channel():
    network = FourLayerConvNet(num_filters=5)
    x = torch.randn(3, 3, 32, 32)
    grid = network.layers(x)
    torch.testing.assert_close(network(x)[:, 5:10], grid[:, :, 0, 1])
    assert F.relu(grid).equal(grid)


def test_wide_resnet_by_hand():
    """Every block: two BN, two 3x3 convolutions, a 1x1 convolution in the shortcut; then the last BN."""
    blocks = [(16, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128)]
    counts = [2 * c + 9 * c * d + 2 * d + 9 * d * d + c * d for c, d in blocks]
    assert counts == [14_432, 19_584, 57_536, 78_080, 229_760, 311_808]
    network = WideResNet()
    assert [sum(p.numel() for p in block.parameters()) for group in network.groups for block in group] == counts
    assert 9 * 3 * 16 + sum(counts) + 2 * 128 == 711_888


@pytest.mark.parametrize("size, sizes", [(126, [126, 63, 32]), (84, [84, 42, 21]), (21, [21, 11, 6])])
def test_wide_resnet_grid_sizes(size, sizes):
    network, found = WideResNet(), []
    for group in network.groups:
        group.register_forward_hook(lambda module, inputs, output: found.append(output.shape[-1]))
    with torch.no_grad():
        network(torch.randn(1, 3, size, size))
    assert found == sizes


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [5, 6, 7, 8])
def test_same_convolution_against_its_definition(size, stride):
    """ceil(S / stride) outputs; padding is split into halves, the larger at the end."""
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

    weights = {tuple(p.shape): p for p in block.parameters() if p.ndim == 4}
    first, second = (p for p in block.parameters() if p.shape == (64, 64, 3, 3))
    a = bn_relu(x)
    inner = F.conv2d(bn_relu(F.conv2d(a, first, padding=1)), second, padding=1)
    torch.testing.assert_close(block(x), inner + F.conv2d(a, weights[64, 64, 1, 1]))


@pytest.mark.parametrize(
    "backbone, features, outputs, inner, batch_norm",
    [
        (Conv4, 1200, 5, 69_701, 384),
        (ResNet12, 512, 5, 7_991_685, 7_680),
        (RegressionMLP, 40, 1, 1_761, 0),
        (lambda: RegressionMLP((80, 80, 80)), 80, 1, 13_201, 0),
    ],
)
def test_parameter_counts_of_the_paper_s_networks_with_heads(backbone, features, outputs, inner, batch_norm):
    """The paper's image networks have 70 085 and 7 999 365 parameters with a five-way head at 84 pixels."""
    network = nn.ModuleList([backbone(), LearnedHead(features, outputs)])
    scales = sum(p.numel() for m in network.modules() if isinstance(m, EpisodicBatchNorm) for p in m.parameters())
    assert (sum(p.numel() for p in network.parameters()) - scales, scales) == (inner, batch_norm)


@pytest.mark.parametrize("size, sizes", [(84, [42, 21, 11, 11]), (32, [16, 8, 5, 5]), (4, [2, 1, 1, 1])])
def test_resnet12_pads_its_third_pooling_and_has_no_fourth(size, sizes):
    network, found = ResNet12(), []
    for block in network.blocks:
        block.register_forward_hook(lambda module, inputs, output: found.append(output.shape[-1]))
    with torch.no_grad():
        network(torch.randn(2, 3, size, size))
    assert found == sizes


def test_resnet12_block_against_its_definition():
    torch.manual_seed(0)
    block, x = ResNet12(in_channels=2).double().blocks[0], torch.randn(3, 2, 6, 6, dtype=torch.float64)
    first, second, third = (m.weight for m in block.residual if isinstance(m, nn.Conv2d))
    shortcut = block.shortcut[0].weight

    def conv_bn(x, kernel):
        x = F.conv2d(x, kernel, padding=kernel.shape[-1] // 2)
        return (x - x.mean((0, 2, 3), True)) / (x.var((0, 2, 3), correction=0, keepdim=True) + 1e-5).sqrt()

    residual = conv_bn(F.relu(conv_bn(F.relu(conv_bn(x, first)), second)), third)
    torch.testing.assert_close(block(x), F.max_pool2d(F.relu(residual + conv_bn(x, shortcut)), 2))


def test_conv4_flattens_channel_height_width():
    network, x = Conv4(num_filters=5), torch.randn(3, 3, 32, 32)
    grid = network.layers(x)
    assert torch.equal(network(x), nn.Flatten()(grid)) and torch.equal(network(x)[:, 4:8], grid[:, 1].flatten(1))
    assert grid.min() < 0  # leaky


def test_conv4_biases_have_no_effect_and_are_optional():
    torch.manual_seed(0)
    network, x = Conv4(num_filters=4).double(), torch.randn(6, 3, 16, 16, dtype=torch.float64)
    network(x).square().sum().backward()
    biases = [m.bias for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert all((b.grad is None or b.grad.abs().max() < 1e-10) and not b.any() for b in biases)
    without = Conv4(conv_bias=False)
    assert len(list(without.parameters())) == 12 and sum(p.numel() for p in without.parameters()) == 64_080 - 4 * 48


@pytest.mark.parametrize("backbone", [Conv4, ResNet12])
def test_weights_are_initialised_xavier_uniform(backbone):
    for m in backbone().modules():
        if isinstance(m, nn.Conv2d):
            d, c, *size = m.weight.shape
            bound = (6 / ((c + d) * size[0] * size[1])) ** 0.5
            assert 0.95 * bound < m.weight.abs().max() <= bound
            assert m.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.1)


@pytest.mark.parametrize("backbone, channels", [(Conv4, [48] * 4), (ResNet12, [64, 128, 256, 512])])
def test_batch_norm_is_an_argument(backbone, channels):
    made = []
    network = backbone(batch_norm=lambda c: made.append(c) or nn.GroupNorm(2, c))
    assert sorted(set(made)) == sorted(set(channels)) and len(made) == (4 if backbone is Conv4 else 16)
    assert sum(isinstance(m, nn.GroupNorm) for m in network.modules()) == len(made)


def test_regression_mlp_is_linear_layers_with_relu():
    torch.manual_seed(0)
    network, x = RegressionMLP((3, 4), in_features=2), torch.randn(5, 2)
    (w1, b1, w2, b2) = network.parameters()
    torch.testing.assert_close(network(x), F.relu(F.relu(x @ w1.T + b1) @ w2.T + b2))
    for hidden in ((), 40):
        with pytest.raises(UserError, match=r"RegressionMLP.hidden = .* must list the width of every layer"):
            RegressionMLP(hidden)
    with pytest.raises(UserError, match=r"RegressionMLP.hidden\[1\] = 0 must be at least 1"):
        RegressionMLP((40, 0))
