"""Multi-tensor operations against operations per tensor, in float64: values and gradients."""

import pytest
import torch

from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.heads import LearnedHead
from alfa_md.inner_loop.recomputation import recompute_all
from alfa_md.kernels import dispatch, multi_tensor
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.params import layer_means
from alfa_md.rules.attenuate import Attenuate
from tests.episodes import random_episode, small_learner

SHAPES = [(5, 3, 3, 3), (5,), (), (4, 7), (6, 5, 1, 1)]


@pytest.fixture
def tensors():
    """Weights, one of them in channels_last, and contiguous gradients."""
    torch.manual_seed(0)
    thetas, grads = ([torch.randn(shape, dtype=torch.float64) for shape in SHAPES] for _ in range(2))
    thetas[0] = thetas[0].to(memory_format=torch.channels_last)
    return [[tensor.requires_grad_() for tensor in side] for side in (thetas, grads)]


def assert_equal(found, expected, variables):
    """Asserts equal values and equal gradients of a weighted sum of them."""
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)
    weights = [torch.randn_like(tensor) for tensor in expected]
    results = [torch.autograd.grad(found, variables, weights), torch.autograd.grad(expected, variables, weights)]
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-13)


@pytest.fixture(params=[multi_tensor.CHUNK, 4], ids=["whole", "in chunks"])
def chunk(request, monkeypatch):
    """The default chunk length, and one that splits most tensors."""
    monkeypatch.setattr(multi_tensor, "CHUNK", request.param)
    multi_tensor.segment_lengths.cache_clear()
    yield
    multi_tensor.segment_lengths.cache_clear()


@pytest.mark.usefixtures("chunk")
def test_tensor_means(tensors):
    thetas, _ = tensors
    named = {str(place): tensor for place, tensor in enumerate(thetas)}
    assert_equal([multi_tensor.tensor_means(thetas)], [layer_means(named)], thetas)


@pytest.mark.usefixtures("chunk")
def test_update_tensors(tensors):
    thetas, grads = tensors
    beta, lr = (torch.randn(len(SHAPES), dtype=torch.float64, requires_grad=True) for _ in range(2))
    found = multi_tensor.update_tensors(beta, lr, thetas, grads)
    pairs = zip(beta, thetas, lr, grads, strict=True)
    expected = [b * theta - a * grad for b, theta, a, grad in pairs]
    assert_equal(list(found), expected, [beta, lr, *thetas, *grads])
    assert found[0].stride() == thetas[0].stride()


def test_update_tensors_with_detached_gradients(tensors):
    thetas, grads = tensors[0], [tensor.detach() for tensor in tensors[1]]
    beta = torch.randn(len(SHAPES), dtype=torch.float64, requires_grad=True)
    found = multi_tensor.update_tensors(beta, beta, thetas, grads)
    expected = [b * (theta - grad) for b, theta, grad in zip(beta, thetas, grads, strict=True)]
    assert_equal(list(found), expected, [beta, *thetas])
    with torch.no_grad():
        assert not any(tensor.requires_grad for tensor in multi_tensor.update_tensors(beta, beta, thetas, grads))


LEARNERS = {
    "first order": {},
    "second order": {"first_order": False, "head": LearnedHead},
    "attenuated": {"first_order": False, "head": LearnedHead, "prepare": Attenuate},
    "recomputed steps": {"first_order": False, "recompute": recompute_all},
    "stacked, recomputed steps": {"first_order": False, "recompute": recompute_all, "batching": vmapped},
    "ResNet-18": {"backbone": ResNet18, "num_steps": 1, "size": 32},
}


@pytest.mark.fast_path
@pytest.mark.parametrize("options", LEARNERS.values(), ids=LEARNERS)
def test_learners_on_a_launch_bound_device(options, monkeypatch):
    """With the CPU declared launch-bound."""
    options = dict(options)
    tasks = [random_episode(size=options.pop("size", 12), seed=0)]
    tasks += [task._replace(query_x=task.query_x.flip(0)) for task in tasks]
    results = []
    for devices in ((), ("cpu",)):
        monkeypatch.setattr(dispatch, "LAUNCH_BOUND", devices)
        results.append(outer_gradients(build_learner(**options), tasks))
    assert results[0].keys() == results[1].keys()
    largest = max(grad.abs().max() for grad in results[0].values())
    for name, grad in results[0].items():
        torch.testing.assert_close(results[1][name], grad, rtol=0, atol=1e-12 * largest, msg=name)


def build_learner(backbone=None, head=None, **options):
    torch.manual_seed(0)
    return small_learner(backbone=backbone and backbone(), head=head and head(16, 3), **options)


def outer_gradients(learner, tasks):
    losses = [learner.objective.loss(s, e.query_y) for s, e in zip(learner.forward_episodes(tasks), tasks, strict=True)]
    torch.stack(losses).sum().backward()
    return {name: p.grad for name, p in learner.named_parameters() if p.grad is not None}
