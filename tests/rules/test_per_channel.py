"""Rates and decays per output channel: shapes, updates by hand, and equality with ALFA at initialisation."""

from functools import partial

import pytest
import torch

from alfa_md.heads import LearnedHead, PrototypeHead
from alfa_md.learners.batching.vmapped import vmapped_scores
from alfa_md.rules.alfa import alfa
from alfa_md.rules.generator import Generator, reference_init
from alfa_md.rules.per_channel import PerStepPerChannel
from alfa_md.training.step import outer_step
from tests.episodes import random_episode, small_learner
from tests.noise import fresh_state
from tests.rules.one_step import one_step

OPTIONS = {"inner_rate": 0.1, "inner_decay": 0.01, "generator": partial(Generator, initialize=reference_init)}
PER_LAYER, PER_CHANNEL = partial(alfa, **OPTIONS), partial(alfa, **OPTIONS, scale=PerStepPerChannel)


def test_one_value_per_channel_and_one_per_head_tensor():
    shapes = {"conv.weight": (5, 3, 2, 2), "conv.bias": (5,), "scale": (), "head.weight": (4, 7), "head.bias": (4,)}
    params = {name: torch.zeros(shape) for name, shape in shapes.items()}
    values = PerStepPerChannel(params | {"head.bias": None}, 2, 0.5)
    assert [tuple(own.shape) for own in values.values] == [(2, 5), (2, 5), (2, 1), (2, 1), (2, 1)]
    with torch.no_grad():
        values.values[0].copy_(torch.arange(10.0).view(2, 5))
    given, _ = values(params, params, (), 1)
    assert given["conv.weight"].flatten().tolist() == [5, 6, 7, 8, 9]
    assert {name: tuple(value.shape) for name, value in given.items()} == {
        "conv.weight": (5, 1, 1, 1),
        "conv.bias": (5,),
        "scale": (),
        "head.weight": (1, 1),
        "head.bias": (1,),
    }


def test_one_step_by_hand():
    """The rate and decay of a channel act on its row only."""
    theta, grads = {"w": torch.ones(2, 3)}, {"w": torch.full((2, 3), 2.0)}
    rule = alfa(theta, 1, inner_rate=0.0, inner_decay=0.0, scale=PerStepPerChannel)
    with torch.no_grad():
        rule.hypers.second.lr.values[0].copy_(torch.tensor([[0.25, 0.0]]))
        rule.hypers.second.decay.values[0].copy_(torch.tensor([[0.0, 0.5]]))
    assert one_step(rule, theta, grads, 0)["w"].tolist() == [[0.5] * 3, [0.5] * 3]
    assert one_step(rule, theta, {"w": grads["w"] * 2}, 0)["w"].tolist() == [[0.0] * 3, [0.5] * 3]


@pytest.mark.parametrize("head", [PrototypeHead(), LearnedHead(16, 5)], ids=["prototypes", "learned"])
@pytest.mark.parametrize("way", [2, 3])
def test_at_initialisation_it_equals_alfa_bit_for_bit(head, way):
    episode = random_episode(way)
    per_layer, per_channel = (small_learner(rule, head) for rule in (PER_LAYER, PER_CHANNEL))
    assert torch.equal(per_layer(episode), per_channel(episode))


def test_after_updates_the_channels_of_a_tensor_differ():
    learner = small_learner(PER_CHANNEL)
    state = fresh_state(learner)
    for seed in range(2):  # Adam's first step is +-rate for every parameter
        outer_step(state, [random_episode(seed=seed)], clip_norm=10.0)
    multipliers = learner.rule.hypers.second
    names = list(learner.initial(random_episode()))
    for name, lr, decay in zip(names, multipliers.lr.values, multipliers.decay.values, strict=True):
        expected = 1 if name.startswith("head.") else 4
        assert [len(row.unique()) for row in (*lr, *decay)] == [expected] * 4, name


def test_stacked_episodes_give_the_same_scores():
    learner, episodes = small_learner(PER_CHANNEL), [random_episode(seed=seed) for seed in range(3)]
    expected = torch.stack([learner(episode) for episode in episodes])
    torch.testing.assert_close(vmapped_scores(learner, episodes), expected, rtol=1e-12, atol=1e-12)
