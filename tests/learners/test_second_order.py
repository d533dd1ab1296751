"""Second-order meta-gradients by double-backward kernels against plain PyTorch operations, in float64."""

from functools import partial

import pytest
import torch

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.resnet12 import ResNet12
from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.heads import LearnedHead
from alfa_md.kernels.dispatch import plain_operations
from alfa_md.learners.gradient import GradientLearner
from alfa_md.normalization import batch_statistics, support_moments
from alfa_md.rules.alfa import alfa
from tests.episodes import random_episode

BACKBONES = {"Conv4": (Conv4, 48, 16), "ResNet12": (ResNet12, 512, 8), "ResNet18": (ResNet18, 512, 16)}


@pytest.mark.parametrize("normalization", [batch_statistics, support_moments])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_meta_gradients_equal_those_of_plain_operations(backbone, normalization):
    make, features, size = BACKBONES[backbone]
    episode = random_episode(size=size)
    torch.manual_seed(0)
    rule = partial(alfa, inner_rate=0.01)
    parts = (make(), LearnedHead(features, 3), rule)
    learner = GradientLearner(*parts, num_steps=2, first_order=False, normalization=normalization).double()
    fast = meta_gradients(learner, episode)
    with plain_operations():
        plain = meta_gradients(learner, episode)
    assert fast.keys() == plain.keys()
    largest = max(gradient.abs().max().item() for gradient in plain.values())
    for name, gradient in plain.items():
        torch.testing.assert_close(fast[name], gradient, rtol=1e-9, atol=1e-12 * largest, msg=name)


def meta_gradients(learner, episode):
    learner.zero_grad()
    learner.objective.loss(learner(episode), episode.query_y).backward()
    return {name: parameter.grad.clone() for name, parameter in learner.named_parameters()}
