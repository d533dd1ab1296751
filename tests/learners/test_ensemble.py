"""Ensembles: the mean of raw scores, and bit equality for identical members."""

import pytest
import torch

from alfa_md.learners.ensemble import Ensemble
from alfa_md.objectives import REGRESSION
from tests.episodes import random_episode, small_learner


def test_identical_members_give_the_scores_of_one():
    """Bit for bit in float64."""
    episode = random_episode()
    alone = small_learner().eval()(episode)
    together = Ensemble([small_learner() for _ in range(5)]).eval()(episode)
    assert torch.equal(together, alone) and together.dtype == torch.float64


def test_scores_are_the_mean_of_the_members_raw_scores():
    episode, members = random_episode(), [small_learner(num_steps=steps) for steps in (1, 2, 3)]
    expected = torch.stack([member(episode) for member in members]).mean(0)
    torch.testing.assert_close(Ensemble(members)(episode), expected, rtol=1e-12, atol=1e-12)


def test_the_mean_is_of_scores_and_not_of_votes(monkeypatch):
    """Two members with a small margin for class 1 lose against one with a large margin for class 0."""
    members = [small_learner() for _ in range(3)]
    for member, scores in zip(members, ([9.0, 0.0], [0.0, 1.0], [0.0, 1.0]), strict=True):
        monkeypatch.setattr(member, "forward", lambda episode, scores=scores: torch.tensor([scores]))
    assert Ensemble(members)(random_episode()).argmax(1).tolist() == [0]


def test_objective_and_stamp_are_those_of_the_members():
    member = small_learner(objective=REGRESSION)
    ensemble = Ensemble([member, small_learner(objective=REGRESSION)])
    assert ensemble.objective is REGRESSION and ensemble.stamp() == member.stamp() | {"ensemble": 2}
    with pytest.raises(ValueError, match="needs a member"):
        Ensemble([])
