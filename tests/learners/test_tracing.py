"""Traces of the inner loop: reported hyperparameters, fast weights, and no side effects."""

from functools import partial

import pytest
import torch
from torch import nn

from alfa_md.heads import LearnedHead
from alfa_md.inner_loop.loop import unroll
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.learners.tracing import fast_weights, trace
from alfa_md.rules.alfa import BetaProduct, alfa, alfa_random
from alfa_md.rules.base import UpdateRule
from alfa_md.rules.clipped import Clipped
from alfa_md.rules.lslr_decay import lslr_decay
from alfa_md.rules.momentum import Momentum
from alfa_md.rules.separate import adaptive_per_layer, separate, zero
from alfa_md.rules.sgd import sgd
from tests.episodes import busy_learner, random_episode, small_learner, smooth_net

EPISODE = random_episode()


class Halve(UpdateRule):
    """A rule without rates."""

    def update(self, params, grads, state, step):
        return {name: tensor / 2 for name, tensor in params.items()}, state


def test_a_trace_has_the_rates_and_decays_of_every_inner_step():
    learner = busy_learner().eval()
    with torch.no_grad():
        steps = list(unroll(learner.initial(EPISODE), learner.support_loss(EPISODE), learner.rule, 2, True))
        source = learner.rule.hypers
        state = source.init(steps[0].before)
        hypers = [source(step.before, step.grads, state, number)[0] for number, step in enumerate(steps)]
    found = trace(learner, EPISODE)
    assert found.names == tuple(steps[0].before) and found.names[-2:] == ("head.weight", "head.bias")
    assert found.shapes == tuple(tuple(tensor.shape) for tensor in steps[0].before.values())
    rates, decays = found.values["rates"], found.values["decays"]
    assert rates.shape == decays.shape == (2, len(found.names))
    for number, (lr, decay) in enumerate(hypers):
        assert torch.allclose(rates[number], torch.stack(list(lr.values())))
        assert torch.allclose(decays[number], torch.stack(list(decay.values())))
    assert rates.std() > 0


def test_alfa_reports_generated_values_and_multipliers():
    found = trace(busy_learner(), EPISODE)
    rates, decays, a, d, rate_scale, decay_scale = found.values.values()
    assert list(found.values)[2:] == ["generated_rates", "generated_decays", "multiplier_rates", "multiplier_decays"]
    assert torch.allclose(rates, a * rate_scale) and a.std() > 0
    assert torch.allclose(decays, d * decay_scale)
    assert torch.allclose(rate_scale, torch.tensor(0.1).double())
    assert torch.allclose(decay_scale, torch.tensor(0.01).double())


def test_factors_under_beta_product_and_alfa_random():
    paper = small_learner(partial(alfa, inner_rate=0.1, inner_decay=1.0, beta_form=BetaProduct))
    found = trace(paper, EPISODE).values
    assert torch.allclose(found["decays"], 1 - found["generated_decays"] * found["multiplier_decays"])
    learner = small_learner(partial(alfa_random, inner_rate=0.1, inner_decay=0.25), LearnedHead(16, 3))
    found = trace(learner, EPISODE).values
    assert (found["multiplier_decays"] == 1).all()
    assert torch.allclose(found["decays"], 0.25 * found["generated_decays"])


def test_rates_of_rules_without_generator():
    found = trace(small_learner(partial(sgd, inner_rate=0.25)), EPISODE).values
    assert (found["rates"] == 0.25).all() and (found["decays"] == 0).all()
    assert list(found) == ["rates", "decays"]
    found = trace(small_learner(partial(lslr_decay, inner_rate=0.5, inner_decay=0.125), num_steps=3), EPISODE).values
    assert list(found) == ["rates", "decays"] and found["rates"].shape[0] == 3
    assert (found["rates"] == 0.5).all() and (found["decays"] == 0.125).all()


def test_values_from_the_first_step_are_not_kept_between_tasks():
    rule = partial(separate, lr=adaptive_per_layer, decay=zero, inner_rate=0.1)
    learner = small_learner(rule)
    nn.init.normal_(learner.rule.hypers.lr.source.first.generator.network[-1].weight)
    first, second = (trace(learner, random_episode(seed=seed)).values["rates"] for seed in (0, 1))
    assert torch.equal(first[0], first[1]) and not torch.allclose(first, second)


@pytest.mark.parametrize("rule", [Momentum, partial(separate, lr=adaptive_per_layer, decay=zero)])
def test_a_wrapped_rule_reports_what_the_rule_reports(rule):
    """A wrapper passes on the hyperparameters of its rule."""
    rule = partial(rule, inner_rate=0.1)
    wide, narrow = (partial(Clipped, rule=rule, max_norm=norm) for norm in (1e9, 1e-3))
    own, same, clipped = (trace(small_learner(each), EPISODE).values for each in (rule, wide, narrow))
    assert own.keys() == same.keys() == clipped.keys() and "rates" in own
    assert all(torch.equal(same[kind], values) for kind, values in own.items())


def test_traces_have_the_steps_of_evaluation():
    learner = small_learner(additional_evaluation_steps=3).train()
    assert trace(learner, EPISODE).values["rates"].shape[0] == 5
    learner.eval()
    *_, last = fast_weights(learner, EPISODE)
    with torch.no_grad():
        adapted, initial = learner.adapted(EPISODE), learner.initial(EPISODE)
    assert all(torch.equal(last[name], tensor) for name, tensor in adapted.items())
    thetas = list(fast_weights(learner, EPISODE))
    assert len(thetas) == 6 and all(torch.equal(thetas[0][name], tensor) for name, tensor in initial.items())
    assert not any(tensor.requires_grad for theta in thetas[1:] for tensor in theta.values())


def test_gradients_are_enabled_between_fast_weights():
    for _ in fast_weights(small_learner(), EPISODE):
        assert torch.is_grad_enabled()


def test_a_learner_without_inner_loop_or_rates_has_no_trace():
    assert trace(PrototypicalLearner(smooth_net()).double(), EPISODE) is None
    assert trace(small_learner(lambda template, num_steps: Halve()), EPISODE) is None


def test_zero_inner_steps_give_an_empty_trace():
    assert trace(small_learner(partial(sgd, inner_rate=0.1), num_steps=0), EPISODE).values["rates"].shape == (0, 8)


def test_tracing_has_no_side_effects():
    learner = busy_learner()
    learner.backbone[1].eval()  # a module may be in another mode than its parent
    before = {name: tensor.clone() for name, tensor in learner.state_dict().items()}
    state = torch.get_rng_state()
    found = trace(learner, EPISODE)
    assert torch.equal(torch.get_rng_state(), state)
    assert learner.training and learner.backbone[0].training and not learner.backbone[1].training
    assert all(torch.equal(tensor, before[name]) for name, tensor in learner.state_dict().items())
    assert all(parameter.grad is None for parameter in learner.parameters())
    assert not any(module._forward_hooks for module in learner.modules())
    assert not any(tensor.requires_grad for tensor in found.values.values())


def test_mode_and_hooks_are_restored_after_an_error():
    learner = small_learner()
    with pytest.raises(RuntimeError):
        trace(learner, EPISODE._replace(support_x=EPISODE.support_x[:, :1]))
    assert not any(module._forward_hooks for module in learner.modules()) and learner.training
