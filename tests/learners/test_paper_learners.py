"""The learners of the ALFA paper on its networks: parameter counts, live entries of the learning state."""

from functools import partial

import pytest
import torch

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.mlp import RegressionMLP
from alfa_md.backbones.resnet12 import ResNet12
from alfa_md.heads import LearnedHead, uniform, xavier
from alfa_md.inner_loop.loop import unroll
from alfa_md.learners.adapts import all_but_batch_norm
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.initialization import frozen, learned
from alfa_md.normalization import batch_statistics
from alfa_md.rules.alfa import alfa, alfa_random
from alfa_md.rules.attenuate import Attenuate
from alfa_md.rules.learning_state import LearningState
from alfa_md.rules.sgd import sgd
from alfa_md.training.step import parameter_groups
from tests.episodes import random_episode

MAML = partial(sgd, inner_rate=0.01)
ALFA = partial(alfa, inner_rate=0.01)
RANDOM = partial(alfa_random, inner_rate=0.01)


def learner(rule=MAML, backbone=Conv4, features=1200, **options):
    """A learner of the paper's image benchmarks."""
    torch.manual_seed(0)
    head = LearnedHead(features, 5, xavier)
    options = {"first_order": False, "adapts": all_but_batch_norm, "normalization": batch_statistics} | options
    return GradientLearner(backbone(), head, rule, num_steps=5, **options)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    "backbone, features, tensors, inner, all_of_maml, generator",
    [(Conv4, 1200, 10, 69_701, 70_085, 840), (ResNet12, 512, 18, 7_991_685, 7_999_365, 2_664)],
)
def test_parameter_counts_on_the_paper_s_networks(backbone, features, tensors, inner, all_of_maml, generator):
    plain, adaptive = learner(MAML, backbone, features), learner(ALFA, backbone, features, prepare=Attenuate)
    adapted = {**plain.adapted_backbone(), **plain.head.template()}
    assert len(adapted) == tensors and sum(p.numel() for p in adapted.values()) == inner
    assert count(plain) == all_of_maml
    assert count(adaptive.rule.hypers.first) == generator and count(adaptive.rule.hypers.second) == 2 * 5 * tensors
    assert count(adaptive.prepare) == 2 * (tensors**2 + tensors)


def test_random_initialisation_optimises_the_rule_alone():
    """Ten tensors of P, four of the generator; A and B are one tensor each, in the authors' code one per layer."""
    random = learner(RANDOM, initialization=frozen)
    optimised = [p for group in parameter_groups(random, 0.0) for p in group["params"]]
    prior = random.rule.hypers.second.decay
    assert count(prior) == 69_701 and len(list(prior.parameters())) == 10
    assert len(optimised) == 10 + 4 + 2 and sum(p.numel() for p in optimised) == 69_701 + 840 + 100
    assert len(list(learner(RANDOM, initialization=learned).parameters())) == len(optimised) + 18


@pytest.mark.parametrize("hidden, features, tensors, size", [((40, 40), 40, 6, 1_761), ((80, 80, 80), 80, 8, 13_201)])
def test_parameter_counts_of_the_regression_networks(hidden, features, tensors, size):
    regression = GradientLearner(RegressionMLP(hidden), LearnedHead(features, 1, uniform), MAML, 5)
    assert count(regression) == size and len(list(regression.parameters())) == tensors


@pytest.fixture(scope="module")
def steps():
    """The inner steps of 4-CONV on five classes of two images; float64, to distinguish zero from small."""
    episode = random_episode(way=5, shots=(2, 2, 2, 2, 2), size=28)
    four = learner(MAML, features=48).double()
    return list(unroll(four.initial(episode), four.support_loss(episode), four.rule, 5, first_order=True))


def test_biases_before_batch_normalisation_have_no_gradient(steps):
    for step in steps:
        for name, grad in step.grads.items():
            inert = name.startswith("backbone.") and name.endswith(".0.bias")
            assert (grad.abs().max() <= 1e-12) == inert, name


def test_the_head_s_gradients_have_mean_zero(steps):
    """Softmax minus one-hot labels sums to zero over the classes."""
    for step in steps:
        assert step.grads["head.weight"].mean().abs() < 1e-6 and step.grads["head.bias"].mean().abs() < 1e-6
        assert step.grads["head.weight"].abs().max() > 1e-3


def test_nine_of_twenty_entries_of_the_state_are_not_zero(steps):
    state = LearningState(steps[0].before)
    assert state.size == 20
    for step in steps:
        live = (state(step.before, step.grads).abs() > 1e-6).tolist()
        weights = ["bias" not in name for name in step.before]
        gradients = ["bias" not in name and "head" not in name for name in step.before]
        assert live == weights + gradients and sum(live) == 9


def test_the_generator_works_for_any_way_and_resolution():
    """Its input is one number per tensor, for any shape."""
    rule = ALFA({name: None for name in learner().adapted_backbone()} | dict.fromkeys(("head.weight", "head.bias")), 5)
    for features, size, way in ((48, 28, 5), (192, 32, 3)):
        episode = random_episode(way=way, shots=(1,) * way, size=size, dtype=torch.float32)
        other = learner(lambda template, num_steps: rule, features=features)
        assert other(episode).shape == (2 * way, way)
