"""Recorded outer losses: bit for bit equal to computed ones, over whole runs too."""

from copy import deepcopy
from functools import partial

import pytest
import torch

from alfa_md.backbones.mlp import RegressionMLP
from alfa_md.data.sinusoid import Points, Sinusoids
from alfa_md.heads import LearnedHead, uniform
from alfa_md.learners import recorder
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.initialization import frozen
from alfa_md.learners.recorder import Recorder
from alfa_md.objectives import REGRESSION
from alfa_md.rules.adam import Adam
from alfa_md.rules.alfa import alfa, alfa_random
from alfa_md.rules.clipped import Clipped
from alfa_md.rules.generator import Generator, reference_init
from alfa_md.rules.momentum import Momentum
from alfa_md.rules.separate import adaptive_per_layer, separate, unlearned
from alfa_md.rules.sgd import sgd
from alfa_md.training.step import outer_step
from tests.noise import fresh_state

pytestmark = pytest.mark.fast_path
ALFA = partial(alfa, inner_rate=0.01, inner_decay=0.001, generator=partial(Generator, initialize=reference_init))
RULES = {
    "sgd": partial(sgd, inner_rate=0.01),
    "alfa": ALFA,
    "alfa_random": partial(alfa_random, inner_rate=0.01),
    "first step": partial(separate, lr=adaptive_per_layer, decay=unlearned, inner_rate=0.01),
    "momentum": partial(Momentum, inner_rate=0.001),
    "adam": partial(Adam, inner_rate=0.001),
    "clipped": partial(Clipped, rule=ALFA, max_norm=1.0),
}


def learner_of(rule, first_order=False, **options):
    torch.manual_seed(0)
    parts = (RegressionMLP((8, 8)), LearnedHead(8, 1, uniform), rule)
    return GradientLearner(*parts, num_steps=3, first_order=first_order, objective=REGRESSION, **options)


def curves(number, shots=5):
    source = Sinusoids("sine", "train", Points(shots=shots, queries=7), seed=0)
    return [source.episode(index) for index in range(number)]


def trained(learner, episodes_per_step=3, updates=6, shots=5):
    """The state dict after `updates` outer updates."""
    state, episodes = fresh_state(learner), curves(updates * episodes_per_step, shots)
    for update in range(updates):
        outer_step(state, episodes[update * episodes_per_step :][:episodes_per_step], clip_norm=10.0)
    return learner.state_dict()


@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_recorded_run_is_equal_bit_for_bit(rule, first_order, monkeypatch):
    """Three episodes per update: a difference in the order of division and summation would change the rounding."""
    plain = trained(learner_of(rule, first_order))
    monkeypatch.setattr(recorder, "RECORD_AFTER", 4)
    learner = learner_of(rule, first_order)
    recorded = trained(learner)
    assert [type(each) for each in learner.recorder.recordings.values()] == [recorder.Recording]
    assert all(torch.equal(recorded[name], tensor) for name, tensor in plain.items())


def test_frozen_parameters_get_no_gradient(monkeypatch):
    monkeypatch.setattr(recorder, "RECORD_AFTER", 0)
    learner = learner_of(ALFA, initialization=frozen)
    learner.losses(curves(1))[0].loss.backward()
    assert all(parameter.grad is None for parameter in learner.backbone.parameters())
    assert all(parameter.grad is not None for parameter in learner.rule.parameters())


def test_one_recording_per_shape_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(recorder, "RECORD_AFTER", 1)
    learner = learner_of(RULES["sgd"])
    for shots in (3, 4, 3, 4, 5, 5, 6, 6, 7, 7):
        learner.losses(curves(1, shots))
    assert len(learner.recorder.recordings) == recorder.MAX_RECORDINGS == 4


class NotStatic(RegressionMLP):
    """A network that is not declared static."""

    static = False


def test_only_a_static_backbone_in_training_is_recorded(monkeypatch):
    monkeypatch.setattr(recorder, "RECORD_AFTER", 0)
    learner, (episode,) = learner_of(RULES["sgd"]), curves(1)
    learner.eval().losses([episode])
    with torch.no_grad():
        learner.train().losses([episode])
    assert not learner.recorder.recordings
    learner.backbone.register_forward_hook(lambda *arguments: None)
    learner.losses([episode])
    assert not learner.recorder.recordings
    torch.manual_seed(0)
    not_static = GradientLearner(NotStatic((8, 8)), LearnedHead(8, 1), RULES["sgd"], num_steps=1, objective=REGRESSION)
    not_static.losses([episode])
    assert not not_static.recorder.recordings


def test_changed_steps_and_copies_do_not_reuse_a_recording(monkeypatch):
    monkeypatch.setattr(recorder, "RECORD_AFTER", 0)
    learner, (episode,) = learner_of(RULES["sgd"]), curves(1)
    learner.losses([episode])
    learner.num_steps = 5
    expected = learner.loss(episode).loss
    assert torch.equal(learner.losses([episode])[0].loss, expected)
    learner.backbone.requires_grad_(False)
    frozen_loss = learner.losses([episode])[0].loss
    frozen_loss.backward()
    assert learner.backbone.layers[0].weight.grad is None and learner.head.weight.grad is not None
    learner.backbone.requires_grad_(True)
    other = deepcopy(learner)
    assert isinstance(other.recorder, Recorder) and not other.recorder.recordings
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(0.01)
    assert torch.equal(other.losses([episode])[0].loss, other.loss(episode).loss)


def test_a_recording_with_other_numbers_is_not_used(monkeypatch):
    monkeypatch.setattr(recorder, "RECORD_AFTER", 0)
    monkeypatch.setattr(recorder, "bitwise_equal", lambda one, other: False)
    learner, (episode,) = learner_of(RULES["sgd"]), curves(1)
    assert torch.equal(learner.losses([episode])[0].loss, learner.loss(episode).loss)
    assert list(learner.recorder.recordings.values()) == [None]
