"""BatchNorm of other libraries by the moments of the episode: values, names, and the layers that are refused."""

import pytest
import torch
from torch import nn

from alfa_md.backbones.episodic import episodic
from alfa_md.errors import UserError
from alfa_md.normalization import EpisodicBatchNorm, embed_episode
from tests.backbones.foreign_networks import BatchNormAct2d, TorchvisionResNet


def random_affine(module: nn.Module) -> nn.Module:
    for name, parameter in module.named_parameters():
        if "bn" in name or "norm" in name:
            nn.init.uniform_(parameter, 0.5, 2.0)
    return module


def test_it_is_the_function_of_training_mode_and_keeps_the_names_of_parameters():
    network = random_affine(TorchvisionResNet().double())
    x = torch.randn(6, 3, 20, 20, dtype=torch.float64)
    expected, names = network.train()(x).detach(), dict(network.named_parameters())
    made = episodic(network)
    assert made is network and not any(isinstance(layer, nn.BatchNorm2d) for layer in made.modules())
    after = dict(made.named_parameters())
    assert list(after) == list(names) and all(after[name] is names[name] for name in names)
    assert made.state_dict().keys() == names.keys()  # no running averages
    torch.testing.assert_close(made.eval()(x), expected)


def test_query_features_are_normalised_by_the_support_set():
    network = episodic(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten())).double()
    support, query = torch.randn(5, 3, 6, 6).double(), torch.randn(7, 3, 6, 6).double() + 2
    features, of_query = embed_episode(network, support, query)
    maps, other = network[0](support), network[0](query)
    mean, var = maps.mean((0, 2, 3), keepdim=True), maps.var((0, 2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(of_query, ((other - mean) / (var + 1e-5).sqrt()).flatten(1))
    torch.testing.assert_close(features, ((maps - mean) / (var + 1e-5).sqrt()).flatten(1))


@pytest.mark.parametrize(
    "layer", [BatchNormAct2d(4), nn.BatchNorm2d(4, affine=False, eps=0.1), nn.SyncBatchNorm(4), nn.BatchNorm2d(4)]
)
def test_layers_of_every_known_kind_are_replaced(layer):
    random_affine(layer)
    x = torch.randn(6, 4, 5, 5)
    stats = (x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), correction=0, keepdim=True))
    expected = (x - stats[0]) / (stats[1] + layer.eps).sqrt()
    if layer.affine:
        expected = expected * layer.weight[:, None, None] + layer.bias[:, None, None]
    expected = expected.relu() if isinstance(layer, BatchNormAct2d) else expected
    made = episodic(layer)
    assert isinstance(made, EpisodicBatchNorm) and len(list(made.parameters())) == 2 * layer.affine
    torch.testing.assert_close(made(x), expected)


class Ghost(nn.BatchNorm2d):
    """A normalisation with a forward of its own."""

    def forward(self, x):
        return torch.cat([super(Ghost, self).forward(part) for part in x.chunk(2)])


@pytest.mark.parametrize(
    "layer, line",
    [
        (nn.BatchNorm1d(4), "^episodic: layer 1 is a BatchNorm1d; only BatchNorm2d, of maps .N, C, H, W., has moments"),
        (Ghost(4), "^episodic: layer 1 is a Ghost with a forward of its own; replace that layer"),
    ],
)
def test_other_normalisations_are_refused_by_name(layer, line):
    with pytest.raises(UserError, match=line):
        episodic(nn.Sequential(nn.Flatten(), layer))
