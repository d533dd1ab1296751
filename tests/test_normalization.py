"""Batch normalisation by own, collected and given moments."""

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


def test_own_moments_are_biased_with_eps_1e_5():
    x, norm = images(), layer()
    mean = x.mean((0, 2, 3), keepdim=True)
    var = ((x - mean) ** 2).mean((0, 2, 3), keepdim=True)
    shape = (1, 3, 1, 1)
    expected = (x - mean) / (var + 1e-5).sqrt() * norm.weight.view(shape) + norm.bias.view(shape)
    torch.testing.assert_close(norm(x), expected, rtol=1e-12, atol=1e-12)


def test_collected_and_given_moments_equal_own_moments():
    x, norm = images(), layer()
    with collected_moments() as moments:
        collected = norm(x)
    with given_moments(moments):
        given = norm(x)
    torch.testing.assert_close(collected, norm(x), rtol=1e-12, atol=1e-12)
    assert torch.equal(given, collected)


def test_gradients_flow_through_given_moments():
    norm, support, query = layer(), images(seed=1).requires_grad_(), images(seed=2)
    _, out = embed_episode(norm, support, query)
    (out**2).sum().backward()
    assert support.grad.abs().sum() > 0


def test_query_features_depend_on_the_support_set_and_not_on_other_queries():
    net = nn.Sequential(nn.Conv2d(3, 3, 3), EpisodicBatchNorm(3), nn.ReLU(), nn.Flatten()).double()
    support, query = images(6, 1), images(4, 2)
    _, together = embed_episode(net, support, query)
    one_by_one = torch.cat([embed_episode(net, support, q[None])[1] for q in query])
    torch.testing.assert_close(together, one_by_one, rtol=1e-12, atol=1e-12)
    _, other = embed_episode(net, support * 2, query)
    assert (together - other).abs().max() > 0.01


def test_contexts_leave_no_state():
    norm, x = layer(), images()
    before = norm(x)
    with pytest.raises(RuntimeError), collected_moments():
        raise RuntimeError
    with pytest.raises(KeyError), given_moments({}):
        norm(x)
    assert torch.equal(norm(x), before) and not norm.state_dict().keys() - {"weight", "bias"}
