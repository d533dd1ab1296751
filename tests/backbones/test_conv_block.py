"""PoolFirst against PlainBlock: values and gradients of both orders, in float64."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.conv_block import PlainBlock, PoolFirst, fastest_block
from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.backbones.sharded_batch_norm import ShardedBatchNorm
from alfa_md.errors import UserError
from alfa_md.kernels.dispatch import double_backward, plain_operations
from alfa_md.normalization import batch_statistics, support_moments
from alfa_md.params import Params


def images(number: int, size: int = 33) -> Tensor:
    return torch.randn(number, 3, size, size, dtype=torch.float64)


NETWORKS = {
    "Conv4": partial(Conv4, num_filters=6),
    "Conv4, first moments in closed form": partial(Conv4, num_filters=30),
    "FourLayerConvNet": partial(FourLayerConvNet, num_filters=30),
}


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS)
def networks(request):
    """A plain network and a fast one with the same weights; a third of the BN weights is negative."""
    torch.manual_seed(0)
    plain, fast = (request.param(block=block).double() for block in (PlainBlock, fastest_block))
    with torch.no_grad():
        for layer in plain.layers:
            layer[1].weight.copy_(torch.randn_like(layer[1].weight).abs() + 0.2)
            layer[1].weight[::3] *= -1
            layer[1].bias.normal_()
    fast.load_state_dict(plain.state_dict())  # the same names
    return plain, fast


def assert_equal(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=1e-12 * max(1.0, one.abs().max().item()))


@pytest.mark.parametrize("protocol", [batch_statistics(), support_moments()])
@pytest.mark.parametrize("size", [33, 32, 16])
def test_features_are_equal(networks, protocol, size):
    support, query = images(5, size), images(7, size)
    assert_equal(*(protocol.query(network, support, query) for network in networks))


@pytest.mark.parametrize("protocol", [batch_statistics(), support_moments()])
def test_meta_gradients_are_equal(networks, protocol):
    """Gradients by the initial weights through two second-order steps."""
    support, query = images(5), images(4)
    fast = meta_gradients(networks[1], protocol, support, query)
    with plain_operations():
        plain = meta_gradients(networks[0], protocol, support, query)
    assert plain.keys() == fast.keys()
    live = [name for name, gradient in plain.items() if gradient.abs().max() > 1e-3]
    assert len(live) == 12  # all but the biases before BN
    for name, gradient in plain.items():
        assert_equal(gradient, fast[name])


def meta_gradients(network: nn.Module, protocol, support: Tensor, query: Tensor) -> Params:
    start = dict(network.named_parameters())
    weights = start
    for _ in range(2):
        with double_backward():
            loss = functional_call(network, weights, (support,)).square().mean()
            gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True, materialize_grads=True)
        pairs = zip(weights.items(), gradients, strict=True)
        weights = {name: weight - 0.1 * gradient for (name, weight), gradient in pairs}

    def embed(x: Tensor) -> Tensor:
        return functional_call(network, weights, (x,))

    outer = protocol.query(embed, support, query).pow(3).mean()
    return dict(zip(start, torch.autograd.grad(outer, list(start.values()), materialize_grads=True), strict=True))


@pytest.mark.fast_path
def test_pool_first_refuses_other_normalisations():
    with pytest.raises(UserError, match="takes no ShardedBatchNorm; bind block = @PlainBlock"):
        Conv4(block=PoolFirst, batch_norm=lambda channels: ShardedBatchNorm(channels, 2))


@pytest.mark.fast_path
def test_other_normalisations_use_the_plain_block():
    own = Conv4(batch_norm=lambda channels: ShardedBatchNorm(channels, 2))
    assert {type(layer) for layer in own.layers} == {PlainBlock}
    assert {type(layer) for layer in Conv4().layers} == {PoolFirst}
