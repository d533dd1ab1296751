"""Batch normalisation by own moments, by recorded moments and by moments handed over."""

import pytest
import torch
from torch import nn

from alfa_md.normalization import EpisodicBatchNorm, collected_moments, embed_episode, given_moments


def layer():
    norm = EpisodicBatchNorm(3).double()
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, -2.0, 0.5]))
        norm.bias.copy_(torch.tensor([0.0, 1.0, -1.0]))
    return norm


def images(n=5, seed=0):
    return torch.randn(n, 3, 4, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_own_moments_are_the_biased_ones_with_eps_1e_5():
    x, norm = images(), layer()
    mean = x.mean((0, 2, 3), keepdim=True)
    var = ((x - mean) ** 2).mean((0, 2, 3), keepdim=True)
    shape = (1, 3, 1, 1)
    expected = (x - mean) / (var + 1e-5).sqrt() * norm.weight.view(shape) + norm.bias.view(shape)
    torch.testing.assert_close(norm(x), expected, rtol=1e-12, atol=1e-12)


def test_recording_and_explicit_moments_give_the_same_as_own_moments():
    x, norm = images(), layer()
    with collected_moments() as moments:
        recorded = norm(x)
    with given_moments(moments):
        given = norm(x)
    torch.testing.assert_close(recorded, norm(x), rtol=1e-12, atol=1e-12)
    assert torch.equal(given, recorded)


def test_gradients_flow_through_moments_handed_over():
    norm, support, query = layer(), images(seed=1).requires_grad_(), images(seed=2)
    _, out = embed_episode(norm, support, query)
    (out**2).sum().backward()
    assert support.grad.abs().sum() > 0


def test_query_does_not_depend_on_other_queries_but_on_the_support_set():
    net = nn.Sequential(nn.Conv2d(3, 3, 3), EpisodicBatchNorm(3), nn.ReLU(), nn.Flatten()).double()
    support, query = images(6, 1), images(4, 2)
    _, together = embed_episode(net, support, query)
    alone = torch.cat([embed_episode(net, support, q[None])[1] for q in query])
    torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-12)
    _, other = embed_episode(net, support * 2, query)
    assert (together - other).abs().max() > 0.01


def test_nothing_outlives_the_contexts():
    norm, x = layer(), images()
    before = norm(x)
    with pytest.raises(RuntimeError), collected_moments():
        raise RuntimeError
    with pytest.raises(KeyError), given_moments({}):
        norm(x)
    assert torch.equal(norm(x), before) and not norm.state_dict().keys() - {"weight", "bias"}
