"""Stacked episodes against one at a time, in float64: scores and meta-gradients."""

from functools import partial

import pytest
import torch

from alfa_md.backbones.mlp import RegressionMLP
from alfa_md.data.sinusoid import Points, Sinusoids
from alfa_md.heads import LearnedHead, PrototypeHead, ZeroHead, uniform
from alfa_md.learners.batching.vmapped import stackable, vmapped, vmapped_scores
from alfa_md.learners.gradient import GradientLearner
from alfa_md.normalization import batch_statistics
from alfa_md.objectives import REGRESSION
from alfa_md.rules.alfa import alfa
from alfa_md.rules.attenuate import Attenuate
from alfa_md.rules.generator import Generator, reference_init
from alfa_md.rules.sgd import sgd
from tests.episodes import random_episode, small_convnet, small_learner

SGD = partial(sgd, inner_rate=0.1)
ALFA = partial(alfa, inner_rate=0.1, inner_decay=0.01, generator=partial(Generator, initialize=reference_init))
RULES = {"sgd": SGD, "alfa": ALFA}
CLASSIFIERS = {
    "support moments, zero head": partial(small_learner, head=ZeroHead()),
    "support moments, prototypes": partial(small_learner, head=PrototypeHead()),
    "batch statistics, learned head": lambda rule, **options: small_learner(
        rule, LearnedHead(16, 3), normalization=batch_statistics, **options
    ),
    "attenuated": lambda rule, **options: small_learner(rule, LearnedHead(16, 3), prepare=Attenuate, **options),
}


def curves(number, shots=5):
    source = Sinusoids("sinusoid", "train", Points(shots=shots, queries=7), seed=0)
    return [source.episode(k).map(torch.Tensor.double) for k in range(number)]


def regressor(rule, first_order):
    torch.manual_seed(0)
    parts = (RegressionMLP((8, 8)), LearnedHead(8, 1, uniform), rule)
    return GradientLearner(*parts, num_steps=3, first_order=first_order, objective=REGRESSION).double()


def assert_equal_meta_learning(learner, episodes):
    """Asserts equal scores and meta-gradients of the mean loss, one episode at a time and stacked."""
    targets = torch.stack([episode.query_y for episode in episodes])
    results = []
    for scores in (torch.stack([learner(episode) for episode in episodes]), vmapped_scores(learner, episodes)):
        learner.zero_grad()
        learner.objective.loss(scores.flatten(0, 1), targets.flatten(0, 1)).backward()
        grads = {name: p.grad.clone() for name, p in learner.named_parameters() if p.grad is not None}
        results.append((scores.detach(), grads))
    (one_by_one, expected), (together, grads) = results
    torch.testing.assert_close(together, one_by_one, rtol=1e-12, atol=1e-12)
    assert grads.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(grads[name], value, rtol=1e-12, atol=1e-12 * value.abs().max().item(), msg=name)


@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("make", CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_classification(make, rule, first_order):
    episodes = [random_episode(seed=seed) for seed in range(3)]
    assert_equal_meta_learning(make(rule=rule, first_order=first_order), episodes)


@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_regression(rule, first_order):
    assert_equal_meta_learning(regressor(rule, first_order), curves(4))


def test_a_network_with_pooling():
    episodes = [random_episode(size=16, seed=seed) for seed in range(2)]
    assert_equal_meta_learning(small_learner(ALFA, backbone=small_convnet(), first_order=False), episodes)


def test_evaluation_takes_the_additional_steps_and_keeps_no_graph():
    learner, episodes = small_learner(SGD, additional_evaluation_steps=2).eval(), [random_episode(seed=1)] * 2
    with torch.no_grad():
        scores, expected = vmapped_scores(learner, episodes), learner(episodes[0])
    assert not scores.requires_grad
    torch.testing.assert_close(scores, torch.stack([expected] * 2), rtol=1e-12, atol=1e-12)


def test_only_episodes_of_equal_shape_are_stackable():
    learner = small_learner()
    assert stackable(learner, [random_episode(seed=0), random_episode(seed=1)])
    assert not stackable(learner, [random_episode(), random_episode(queries=3)])
    assert not stackable(learner, [random_episode(), random_episode(way=2)])
    assert not stackable(learner, [*curves(1, shots=5), *curves(1, shots=6)])


@pytest.mark.parametrize("queries", [(2, 2), (2, 3)])
def test_batching_works_for_episodes_of_any_shape(queries):
    episodes = [random_episode(seed=seed, queries=number) for seed, number in enumerate(queries)]
    learner, plain = small_learner(batching=vmapped), small_learner()
    for scores, episode in zip(learner.forward_episodes(episodes), episodes, strict=True):
        torch.testing.assert_close(scores, plain(episode), rtol=1e-12, atol=1e-12)
