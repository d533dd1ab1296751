"""Traced episodes against one at a time, in float64: scores and meta-gradients."""

import shutil
from functools import partial

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.learners.batching.traced import Traced, compiled
from tests.episodes import random_episode
from tests.learners.batching.test_vmapped import CLASSIFIERS, RULES, SGD, curves, regressor


def scores_and_gradients(learner, episodes, scores):
    """(stacked scores, nonzero meta-gradients of the mean loss)."""
    learner.zero_grad()
    losses = [learner.objective.loss(score, e.query_y) for score, e in zip(scores, episodes, strict=True)]
    torch.stack(losses).mean().backward()
    grads = {name: p.grad.clone() for name, p in learner.named_parameters() if p.grad is not None and p.grad.any()}
    return torch.stack(list(scores)).detach(), grads


def assert_equal(learner, episodes, tolerance=1e-12, traced=None):
    expected, grads = scores_and_gradients(learner, episodes, [learner(episode) for episode in episodes])
    got, traced_grads = scores_and_gradients(learner, episodes, (traced or Traced())(learner, episodes))
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)
    assert traced_grads.keys() == grads.keys()
    for name, value in grads.items():
        close = {"rtol": tolerance, "atol": tolerance * value.abs().max().item()}
        torch.testing.assert_close(traced_grads[name], value, **close, msg=name)


@pytest.mark.parametrize("make", CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_classification(make):
    learner = make(rule=RULES["alfa"], first_order=False).train()
    assert_equal(learner, [random_episode(seed=seed) for seed in range(2)])


@pytest.mark.parametrize(("rule", "first_order"), [("sgd", True), ("sgd", False), ("alfa", True)])
def test_regression(rule, first_order):
    assert_equal(regressor(RULES[rule], first_order), curves(3))


def test_a_trace_is_reused_for_other_weights_and_episodes():
    learner, traced = regressor(RULES["alfa"], first_order=False), Traced()
    for episodes in (curves(5)[:3], curves(5)[2:]):
        assert_equal(learner, episodes, traced=traced)
        with torch.no_grad():
            for parameter in learner.parameters():
                parameter.add_(0.01)
    assert len(traced.traces) == 1
    assert_equal(learner, curves(2), traced=traced)
    assert len(traced.traces) == 2


def test_evaluation_is_not_traced():
    learner, traced, episodes = regressor(SGD, first_order=True).eval(), Traced(), curves(2)
    with torch.no_grad():
        for score, episode in zip(traced(learner, episodes), episodes, strict=True):
            torch.testing.assert_close(score, learner(episode), rtol=1e-12, atol=1e-12)
    assert not traced.traces


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
@pytest.mark.parametrize("mode", [None, "reduce-overhead"])
def test_compiled(mode):
    run = partial(compiled, mode=mode)
    assert_equal(regressor(RULES["alfa"], first_order=False), curves(3), 1e-10, Traced(run))


def test_a_missing_compiler_is_an_error_before_compilation(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError, match="needs a C.. compiler.*@replayed"):
        compiled(torch.fx.GraphModule({}, torch.fx.Graph()))
