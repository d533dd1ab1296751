"""Scorers of unusual configurations; the contract of all learners has the others."""

from functools import partial

import pytest
import torch

from alfa_md.heads import ZeroHead
from alfa_md.learners.adapts import body_only, head_only
from alfa_md.learners.base import Learner
from alfa_md.learners.ensemble import Ensemble
from alfa_md.learners.linear_probe import LinearProbeLearner
from alfa_md.learners.multi_step import MultiStepLearner
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.normalization import batch_statistics, support_moments
from alfa_md.rules.alfa import alfa
from alfa_md.rules.attenuate import Attenuate
from alfa_md.rules.sgd import sgd
from tests.episodes import random_episode, small_learner, smooth_net

RULE = partial(alfa, inner_rate=0.1, inner_decay=0.01)
NET = smooth_net().double()
LEARNERS = {
    "second order": small_learner(first_order=False),
    "ANIL": small_learner(adapts=head_only),
    "BOIL": small_learner(adapts=body_only),
    "L2F": small_learner(prepare=Attenuate),
    "more steps": small_learner(additional_evaluation_steps=2),
    "no steps": small_learner(rule=partial(sgd, inner_rate=0.1), num_steps=0),
    "portions": small_learner(normalization=partial(support_moments, query_portion=2)),
    "multi-step": MultiStepLearner(backbone=NET, head=ZeroHead(), rule=RULE, num_steps=2).double(),
    "linear probe": LinearProbeLearner(NET),
    "ensemble": Ensemble([small_learner(), PrototypicalLearner(NET)]),
}
EPISODE = random_episode(queries=3)


def scores_of(learner: Learner, portions: list[int]) -> torch.Tensor:
    with torch.no_grad():
        scorer = learner.eval().scorer(EPISODE._replace(query_x=EPISODE.query_x[:0], query_y=EPISODE.query_y[:0]))
        return torch.cat([scorer(part) for part in EPISODE.query_x.split(portions)])


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=LEARNERS)
def test_scores_are_those_of_the_episode_in_any_portions(learner):
    with torch.no_grad():
        expected = learner.eval()(EPISODE)
    for portions in ([9], [4, 4, 1]):
        torch.testing.assert_close(scores_of(learner, portions), expected)


@pytest.mark.parametrize("adapts", [head_only, body_only])
def test_a_transductive_learner_scores_every_image_by_itself(adapts):
    learner = small_learner(normalization=batch_statistics, adapts=adapts).eval()
    torch.testing.assert_close(scores_of(learner, [1] * 9), scores_of(learner, [9]))
    with torch.no_grad():
        assert not torch.allclose(learner(EPISODE), scores_of(learner, [9]))


def test_it_adapts_once():
    learner, calls = small_learner().eval(), []
    learner.rule.register_forward_pre_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        scorer = learner.scorer(EPISODE)
        steps = len(calls)
        scorer(EPISODE.query_x), scorer(EPISODE.query_x)
    assert len(calls) == steps
