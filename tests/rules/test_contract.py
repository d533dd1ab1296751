"""What every update rule must do; a new rule is a new row."""

from functools import partial

import pytest
import torch

from alfa_md.heads import PrototypeHead, ZeroHead
from alfa_md.rules.alfa import alfa, identity_init, reference_init
from alfa_md.rules.lslr_decay import lslr_decay
from alfa_md.rules.sgd import sgd
from tests.episodes import meta_gradients, random_episode, small_learner

RULES = {
    "sgd": partial(sgd, inner_rate=0.1),
    "lslr_decay": partial(lslr_decay, inner_rate=0.1),
    "alfa": partial(alfa, inner_rate=0.1),
    "alfa, reference init": partial(alfa, inner_rate=0.1, initialize=reference_init),
}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def fast_weights(seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = {"a.weight": (4, 3), "a.bias": (4,), "head.weight": (2, 4), "head.bias": (2,)}
    return {k: torch.randn(s, generator=generator, dtype=torch.float64) for k, s in shapes.items()}


@every_rule
def test_keeps_names_and_shapes_and_changes_nothing_in_place(rule):
    params, grads = fast_weights(0), fast_weights(1)
    before = {name: value.clone() for name, value in params.items()}
    after = rule(params, 3).double()(params, grads, 0)
    assert {k: v.shape for k, v in after.items()} == {k: v.shape for k, v in params.items()}
    assert all(torch.equal(params[name], before[name]) for name in params)
    assert any(not torch.equal(after[name], before[name]) for name in params)


@every_rule
def test_steps_beyond_the_last_use_the_last(rule):
    params, grads = fast_weights(0), fast_weights(1)
    built = rule(params, 3).double()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(torch.arange(parameter.numel(), dtype=torch.float64).view_as(parameter) / 100)
    last, beyond = built(params, grads, 2), built(params, grads, 7)
    assert all(torch.equal(last[name], beyond[name]) for name in params)


@every_rule
@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("way, shots", [(2, (1, 2)), (4, (2, 1, 3, 1))])
def test_meta_gradient_reaches_every_meta_parameter(rule, first_order, way, shots):
    learner = small_learner(rule, PrototypeHead(), first_order=first_order)
    with torch.no_grad():  # leave identity initialisation, under which the first generator layer has no gradient yet
        for parameter in learner.rule.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    grads = meta_gradients(learner, random_episode(way, shots))
    for name, parameter in learner.named_parameters():
        assert grads[name].isfinite().all() and grads[name].abs().sum() > 0, name
        assert grads[name].shape == parameter.shape


@every_rule
@pytest.mark.parametrize("head", [PrototypeHead, ZeroHead])
def test_works_without_gradients(rule, head):
    learner, episode = small_learner(rule, head()), random_episode()
    with torch.no_grad():
        scores = learner(episode)
    assert scores.shape == (6, 3) and not scores.requires_grad and scores.isfinite().all()


@every_rule
def test_state_dict_round_trip(rule):
    episode = random_episode()
    learner, other = small_learner(rule), small_learner(rule)
    with torch.no_grad():
        for parameter in learner.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    other.load_state_dict(learner.state_dict())
    assert torch.equal(learner(episode), other(episode))


@pytest.mark.parametrize("head", [PrototypeHead, ZeroHead])
def test_identity_alfa_without_decay_is_sgd_bit_for_bit(head):
    episode = random_episode()
    plain = small_learner(RULES["sgd"], head())
    adaptive = small_learner(partial(alfa, inner_rate=0.1, inner_decay=0.0, initialize=identity_init), head())
    adaptive.backbone.load_state_dict(plain.backbone.state_dict())
    adaptive.rule.hypers.second.lr.data.fill_(0.1)  # the float32 0.1 of the parameter is not Python's
    assert torch.equal(plain(episode), adaptive(episode))
