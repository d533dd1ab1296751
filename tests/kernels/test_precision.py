"""Backbones in bfloat16: scores and meta-gradients close to float32; weights, moments and head in float32."""

from functools import partial

import gin
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.conv_block import PlainBlock
from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.errors import UserError
from alfa_md.experiment import config, definition
from alfa_md.kernels.moments import batch_moments
from alfa_md.kernels.precision import bfloat16, float32
from alfa_md.learners.batching.vmapped import vmapped_scores
from alfa_md.learners.gradient import BACKBONE
from alfa_md.normalization import EpisodicBatchNorm, collected_moments, support_moments
from alfa_md.params import strip_prefix
from tests.episodes import random_episode, small_learner, smooth_net

NETWORKS = {
    "4-CONV": (partial(Conv4, num_filters=16), True),
    "4-CONV in second order": (partial(Conv4, num_filters=16), False),
    "4-CONV in second order, plain": (partial(Conv4, num_filters=16, block=PlainBlock), False),
    "ResNet-18": (ResNet18, True),
}


def episode(seed=0, size=12):
    return random_episode(shots=(8, 9, 7), queries=5, size=size, seed=seed, dtype=torch.float32)


def learner(precision=bfloat16, backbone=smooth_net, **options):
    torch.manual_seed(0)
    return small_learner(backbone=backbone(), precision=precision, **options).float()


def distance(one: Tensor, other: Tensor) -> float:
    """The relative error of `one`, with `other` as the reference."""
    return ((one - other).norm() / other.norm()).item()


def scores_and_gradient(learner, task) -> tuple[Tensor, Tensor]:
    """Query scores, and the outer gradient of all parameters as one vector."""
    scores = learner(task)
    learner.objective.loss(scores, task.query_y).backward()
    grads = [parameter.grad for parameter in learner.parameters() if parameter.grad is not None]
    return scores.detach(), torch.cat([grad.flatten() for grad in grads])


@pytest.mark.parametrize("backbone, first_order", NETWORKS.values(), ids=NETWORKS)
def test_bfloat16_is_close_to_float32_and_not_equal(backbone, first_order):
    task = episode(size=32)
    results = [
        scores_and_gradient(learner(precision, backbone, first_order=first_order, num_steps=1), task)
        for precision in (bfloat16, float32)
    ]
    (scores, grad), (exact_scores, exact_grad) = results
    assert scores.dtype == grad.dtype == torch.float32
    assert 0 < distance(scores, exact_scores) < 0.1
    assert torch.cosine_similarity(grad, exact_grad, dim=0) > 0.9


def test_float32_is_the_plain_backbone_bit_for_bit():
    exact = learner(float32)
    theta = exact.initial(episode())
    expected = functional_call(exact.backbone, strip_prefix(theta, BACKBONE), (episode().query_x,))
    assert torch.equal(exact.embedding(theta)(episode().query_x), expected)


def test_convolutions_are_bfloat16_and_fast_weights_are_float32():
    half, types = learner(), []
    for module in half.backbone.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda module, inputs, output: types.append(output.dtype))
    theta = half.adapted(episode())
    half.classify(theta, episode().support_x, episode().query_x)
    # two convolutions, four forward passes: head with the first inner step, second step, support set, query set
    assert types == [torch.bfloat16] * 2 * 4
    assert {tensor.dtype for tensor in theta.values()} == {torch.float32}
    start = half.initial(episode())
    c = start["head.weight"] / 2
    assert torch.equal(start["head.bias"], -(c * c).sum(dim=1))


def by_matrix_product(x: Tensor) -> tuple[Tensor, Tensor]:
    """Moments by matrix products, which autocast casts."""
    rows = x.transpose(0, 1).flatten(1)  # [C, N * H * W]
    mean = rows @ rows.new_ones(rows.shape[1]) / rows.shape[1]
    return mean, (rows @ rows.T).diagonal() / rows.shape[1] - mean.square()


@pytest.mark.parametrize("moments_of", [batch_moments, by_matrix_product])
def test_moments_are_computed_in_float32(moments_of):
    """Squares are about 100, where bfloat16 values are 0.5 apart; the variance is 1."""
    norm, x = EpisodicBatchNorm(3), (10 + torch.randn(8, 3, 5, 5)).bfloat16()
    with collected_moments() as moments, bfloat16("cpu"):
        assert norm(x).dtype == torch.bfloat16
        norm.moments(x, moments_of)
    for own, exact in zip(moments[norm], batch_moments(x.double()), strict=True):
        torch.testing.assert_close(own.double(), exact, rtol=1e-4, atol=0)


def test_query_portions_and_stacked_episodes_in_bfloat16():
    whole, split = learner(), learner(normalization=partial(support_moments, query_portion=4))
    results = [scores_and_gradient(each, episode()) for each in (split, whole)]
    for own, expected in zip(*results, strict=True):
        assert distance(own, expected) < 0.1
    episodes = [episode(seed) for seed in range(2)]
    together = vmapped_scores(whole, episodes)
    assert distance(together, torch.stack([whole(each) for each in episodes])) < 0.05


@pytest.fixture
def clean_gin():
    yield
    gin.clear_config()


@pytest.mark.usefixtures("clean_gin")
@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_precision_is_set_by_gin_and_stamped(name):
    config.parse(["gin/proto_maml_alfa.gin", "gin/quickstart.gin"], [f"GradientLearner.precision = @{name}"])
    made = definition.build_experiment(0).learner
    assert made.stamp()["precision"] == name
    with made.precision("cpu"):
        assert torch.is_autocast_enabled("cpu") == (name == "bfloat16")
    with pytest.raises(UserError, match="GradientLearner.precision = 'half' must be"):
        config.parse(["gin/maml.gin"], ["GradientLearner.precision = 'half'"])
