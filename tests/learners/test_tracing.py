"""Traces of the inner loop: what every step multiplied with, and what watching leaves as it was."""

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


def test_a_trace_holds_what_every_inner_step_multiplied_with():
    learner = busy_learner().eval()
    with torch.no_grad():
        steps = list(unroll(learner.initial(EPISODE), learner.support_loss(EPISODE), learner.rule, 2, True))
        source = learner.rule.hypers
        state = source.init(steps[0].before)
        hypers = [source(step.before, step.grads, state, number)[0] for number, step in enumerate(steps)]
    seen = trace(learner, EPISODE)
    assert seen.names == tuple(steps[0].before) and seen.names[-2:] == ("head.weight", "head.bias")
    assert seen.shapes == tuple(tuple(tensor.shape) for tensor in steps[0].before.values())
    rates, decays = seen.values["rates"], seen.values["decays"]
    assert rates.shape == decays.shape == (2, len(seen.names))
    for number, (lr, decay) in enumerate(hypers):
        assert torch.allclose(rates[number], torch.stack(list(lr.values())))
        assert torch.allclose(decays[number], torch.stack(list(decay.values())))
    assert rates.std() > 0


def test_alfa_is_taken_apart_into_generator_and_multipliers():
    seen = trace(busy_learner(), EPISODE)
    rates, decays, a, d, rate_scale, decay_scale = seen.values.values()
    assert list(seen.values)[2:] == ["generated_rates", "generated_decays", "multiplier_rates", "multiplier_decays"]
    assert torch.allclose(rates, a * rate_scale) and a.std() > 0
    assert torch.allclose(decays, d * decay_scale)
    assert torch.allclose(rate_scale, torch.tensor(0.1).double())
    assert torch.allclose(decay_scale, torch.tensor(0.01).double())


def test_the_product_form_of_beta_and_the_prior_of_a_random_start_are_outside_of_the_factors():
    paper = small_learner(partial(alfa, inner_rate=0.1, inner_decay=1.0, beta_form=BetaProduct))
    seen = trace(paper, EPISODE).values
    assert torch.allclose(seen["decays"], 1 - seen["generated_decays"] * seen["multiplier_decays"])
    learner = small_learner(partial(alfa_random, inner_rate=0.1, inner_decay=0.25), LearnedHead(16, 3))
    seen = trace(learner, EPISODE).values
    assert (seen["multiplier_decays"] == 1).all()
    assert torch.allclose(seen["decays"], 0.25 * seen["generated_decays"])


def test_rates_of_rules_that_generate_nothing():
    seen = trace(small_learner(partial(sgd, inner_rate=0.25)), EPISODE).values
    assert (seen["rates"] == 0.25).all() and (seen["decays"] == 0).all()
    assert list(seen) == ["rates", "decays"]
    seen = trace(small_learner(partial(lslr_decay, inner_rate=0.5, inner_decay=0.125), num_steps=3), EPISODE).values
    assert list(seen) == ["rates", "decays"] and seen["rates"].shape[0] == 3
    assert (seen["rates"] == 0.5).all() and (seen["decays"] == 0.125).all()


def test_a_rule_that_remembers_its_first_step_forgets_it_with_the_task():
    rule = partial(separate, lr=adaptive_per_layer, decay=zero, inner_rate=0.1)
    learner = small_learner(rule)
    nn.init.normal_(learner.rule.hypers.lr.source.first.generator.network[-1].weight)
    first, second = (trace(learner, random_episode(seed=seed)).values["rates"] for seed in (0, 1))
    assert torch.equal(first[0], first[1]) and not torch.allclose(first, second)


@pytest.mark.parametrize("rule", [Momentum, partial(separate, lr=adaptive_per_layer, decay=zero)])
def test_a_wrapped_rule_reports_what_the_rule_reports(rule):
    """Its hyperparameters do not vanish behind the wrapper."""
    rule = partial(rule, inner_rate=0.1)
    wide, narrow = (partial(Clipped, rule=rule, max_norm=norm) for norm in (1e9, 1e-3))
    own, same, clipped = (trace(small_learner(each), EPISODE).values for each in (rule, wide, narrow))
    assert own.keys() == same.keys() == clipped.keys() and "rates" in own
    assert all(torch.equal(same[kind], values) for kind, values in own.items())


def test_the_steps_are_those_of_evaluation():
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


def test_watching_fast_weights_leaves_gradients_on_between_them():
    for _ in fast_weights(small_learner(), EPISODE):
        assert torch.is_grad_enabled()


def test_a_learner_without_inner_loop_or_rates_has_no_trace():
    assert trace(PrototypicalLearner(smooth_net()).double(), EPISODE) is None
    assert trace(small_learner(lambda template, num_steps: Halve()), EPISODE) is None


def test_no_inner_step_is_an_empty_trace():
    assert trace(small_learner(partial(sgd, inner_rate=0.1), num_steps=0), EPISODE).values["rates"].shape == (0, 8)


def test_a_trace_changes_nothing():
    learner = busy_learner()
    learner.backbone[1].eval()  # a module may be in a mode of its own
    before = {name: tensor.clone() for name, tensor in learner.state_dict().items()}
    state = torch.get_rng_state()
    seen = trace(learner, EPISODE)
    assert torch.equal(torch.get_rng_state(), state)
    assert learner.training and learner.backbone[0].training and not learner.backbone[1].training
    assert all(torch.equal(tensor, before[name]) for name, tensor in learner.state_dict().items())
    assert all(parameter.grad is None for parameter in learner.parameters())
    assert not any(module._forward_hooks for module in learner.modules())
    assert not any(tensor.requires_grad for tensor in seen.values.values())


def test_the_hooks_go_also_when_the_inner_loop_fails():
    learner = small_learner()
    with pytest.raises(RuntimeError):
        trace(learner, EPISODE._replace(support_x=EPISODE.support_x[:, :1]))
    assert not any(module._forward_hooks for module in learner.modules()) and learner.training
