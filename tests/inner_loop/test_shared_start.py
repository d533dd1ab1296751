"""Shared forward pass of head and first inner step: scores, meta-gradients, number of forward passes."""

from functools import partial

import pytest
import torch

from alfa_md.heads import LearnedHead, ZeroHead
from alfa_md.learners.adapts import all_but_batch_norm
from alfa_md.learners.initialization import frozen
from alfa_md.normalization import support_moments
from alfa_md.rules.attenuate import Attenuate
from alfa_md.rules.sgd import sgd
from tests.episodes import meta_gradients, random_episode, small_learner

CASES = {
    "prototypes": {},
    "batch normalisation frozen": {"adapts": all_but_batch_norm},
    "query in portions": {"normalization": partial(support_moments, query_portion=2)},
}
WITHOUT = {
    "zero head": {"head": ZeroHead()},
    "learned head": {"head": LearnedHead(16, 3)},
    "prepared": {"prepare": Attenuate},
    "second order": {"first_order": False},
    "frozen start": {"initialization": frozen},
    "no steps": {"num_steps": 0, "rule": partial(sgd, inner_rate=0.1)},
}


def without_sharing(learner):
    """The learner with sharing disabled: every inner step computes support features."""
    learner.start = partial(learner.start, single_task=False)
    return learner


def forward_passes(learner) -> int:
    """The number of forward passes of the backbone in one episode."""
    calls = []
    with learner.backbone.register_forward_hook(lambda *args: calls.append(0)):
        learner(random_episode())
    return len(calls)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_meta_gradients_are_unchanged(case):
    shared, plain = (
        meta_gradients(make(small_learner(**case)), random_episode()) for make in (lambda x: x, without_sharing)
    )
    assert shared.keys() == plain.keys()
    for name, value in plain.items():
        torch.testing.assert_close(shared[name], value, rtol=1e-12, atol=1e-12, msg=name)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_scores_are_unchanged_and_one_forward_pass_is_saved(case):
    with torch.no_grad():
        shared, plain = small_learner(**case).eval(), without_sharing(small_learner(**case)).eval()
        assert torch.equal(shared(random_episode()), plain(random_episode()))
        assert forward_passes(shared) == forward_passes(plain) - 1


@pytest.mark.parametrize("case", WITHOUT.values(), ids=WITHOUT)
def test_cases_without_sharing(case):
    one, other = small_learner(**case), without_sharing(small_learner(**case))
    assert torch.equal(one(random_episode()), other(random_episode()))
    assert forward_passes(one) == forward_passes(other)


def test_second_order_learners_share_in_evaluation():
    with torch.no_grad():
        shared, plain = (make(small_learner(first_order=False)).eval() for make in (lambda x: x, without_sharing))
        assert forward_passes(shared) == forward_passes(plain) - 1
        assert torch.equal(shared(random_episode()), plain(random_episode()))
