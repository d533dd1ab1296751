"""The first step on the head's own features against the plain inner loop: scores, meta-gradients, forward passes."""

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


def plainly(learner):
    """The same learner whose inner loop has every step look at the support set by itself."""
    learner.start = partial(learner.start, single_task=False)
    return learner


def passes(learner) -> int:
    """How often an episode goes through the backbone."""
    calls = []
    with learner.backbone.register_forward_hook(lambda *args: calls.append(0)):
        learner(random_episode())
    return len(calls)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_meta_gradients_are_those_of_the_plain_inner_loop(case):
    shared, plain = (meta_gradients(make(small_learner(**case)), random_episode()) for make in (lambda x: x, plainly))
    assert shared.keys() == plain.keys()
    for name, value in plain.items():
        torch.testing.assert_close(shared[name], value, rtol=1e-12, atol=1e-12, msg=name)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_scores_are_the_same_and_one_pass_is_spared(case):
    with torch.no_grad():
        shared, plain = small_learner(**case).eval(), plainly(small_learner(**case)).eval()
        assert torch.equal(shared(random_episode()), plain(random_episode()))
        assert passes(shared) == passes(plain) - 1


@pytest.mark.parametrize("case", WITHOUT.values(), ids=WITHOUT)
def test_where_nothing_is_to_be_shared(case):
    one, other = small_learner(**case), plainly(small_learner(**case))
    assert torch.equal(one(random_episode()), other(random_episode()))
    assert passes(one) == passes(other)


def test_second_order_is_shared_in_evaluation():
    with torch.no_grad():
        shared, plain = (make(small_learner(first_order=False)).eval() for make in (lambda x: x, plainly))
        assert passes(shared) == passes(plain) - 1
        assert torch.equal(shared(random_episode()), plain(random_episode()))
