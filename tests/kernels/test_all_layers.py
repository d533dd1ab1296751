"""All layers at once against one after the other, in float64: values and gradients."""

import pytest
import torch

from alfa_md.kernels import all_layers
from alfa_md.params import layer_means

SHAPES = [(5, 3, 3, 3), (5,), (), (4, 7), (6, 5, 1, 1)]


@pytest.fixture
def tensors():
    """Weights, of which some lie in the order of channels last, and gradients, which do not."""
    torch.manual_seed(0)
    thetas, grads = ([torch.randn(shape, dtype=torch.float64) for shape in SHAPES] for _ in range(2))
    thetas[0] = thetas[0].to(memory_format=torch.channels_last)
    return [[tensor.requires_grad_() for tensor in side] for side in (thetas, grads)]


def assert_equal(own, expected, variables):
    """Also the gradients of a sum with weights."""
    torch.testing.assert_close(own, expected, rtol=0, atol=1e-14)
    weights = [torch.randn_like(tensor) for tensor in expected]
    results = [torch.autograd.grad(own, variables, weights), torch.autograd.grad(expected, variables, weights)]
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-13)


def test_means(tensors):
    thetas, _ = tensors
    named = {str(place): tensor for place, tensor in enumerate(thetas)}
    assert_equal([all_layers.means(thetas)], [layer_means(named)], thetas)


def test_updates(tensors):
    thetas, grads = tensors
    beta, lr = (torch.randn(len(SHAPES), dtype=torch.float64, requires_grad=True) for _ in range(2))
    own = all_layers.updated(beta, lr, thetas, grads)
    pairs = zip(beta, thetas, lr, grads, strict=True)
    expected = [b * theta - a * grad for b, theta, a, grad in pairs]
    assert_equal(list(own), expected, [beta, lr, *thetas, *grads])
    assert own[0].stride() == thetas[0].stride()


def test_updates_without_gradients_through_gradients(tensors):
    thetas, grads = tensors[0], [tensor.detach() for tensor in tensors[1]]
    beta = torch.randn(len(SHAPES), dtype=torch.float64, requires_grad=True)
    own = all_layers.updated(beta, beta, thetas, grads)
    expected = [b * (theta - grad) for b, theta, grad in zip(beta, thetas, grads, strict=True)]
    assert_equal(list(own), expected, [beta, *thetas])
    with torch.no_grad():
        assert not any(tensor.requires_grad for tensor in all_layers.updated(beta, beta, thetas, grads))
