"""The linear probe: it stops at the minimum of its loss, and its features stay frozen."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from alfa_md.errors import UserError
from alfa_md.learners.linear_probe import LinearProbeLearner, logistic_regression
from alfa_md.normalization import batch_statistics
from tests.episodes import random_episode, smooth_net


def probe(**options) -> LinearProbeLearner:
    torch.manual_seed(0)
    return LinearProbeLearner(smooth_net(), **options).double().eval()


def features(scale=1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Forty vectors [40, 6] of four classes that overlap, and their labels."""
    torch.manual_seed(1)
    labels = torch.arange(4).repeat_interleave(torch.tensor([4, 8, 12, 16]))
    return scale * (torch.randn(4, 6)[labels] + torch.randn(40, 6)).double(), labels


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("l2", [1e-3, 0.1, 1e4])
def test_the_gradient_of_the_convex_loss_is_zero(scale, l2):
    x, labels = features(scale)
    weight, bias = (w.requires_grad_() for w in logistic_regression(x, labels, 4, l2, num_steps=1000))
    loss = F.cross_entropy(F.linear(x, weight, bias), labels) + l2 / 2 * weight.square().sum()
    slopes = torch.autograd.grad(loss, (weight, bias))
    assert max(slope.abs().max().item() for slope in slopes) < 5e-6 * max(1, scale)


@pytest.mark.slow
def test_scores_are_those_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    (x, labels), l2 = features(), 0.01
    weight, bias = logistic_regression(x, labels, 4, l2, num_steps=1000)
    theirs = linear_model.LogisticRegression(C=1 / (l2 * len(x)), tol=1e-10, max_iter=5000).fit(x, labels)
    ours = F.linear(x, weight, bias).softmax(dim=1)
    torch.testing.assert_close(ours, torch.from_numpy(theirs.predict_proba(x)), rtol=1e-4, atol=1e-5)


def test_few_steps_stop_before_the_minimum_and_none_is_random():
    x, labels = features()
    short, long = (logistic_regression(x, labels, 4, 0.001, num_steps=n)[0] for n in (3, 500))
    assert not torch.allclose(short, long)
    assert torch.equal(long, logistic_regression(x, labels, 4, 0.001, num_steps=500)[0])


def test_a_strong_penalty_leaves_the_frequencies_of_the_classes():
    x, labels = features()
    _, bias = logistic_regression(x, labels, 4, 1e9, num_steps=500)
    torch.testing.assert_close(bias.softmax(dim=0), labels.bincount() / 40.0, check_dtype=False, atol=1e-4, rtol=0)


def test_it_separates_what_is_separable_and_leaves_the_backbone():
    episode = random_episode()
    episode = episode._replace(query_x=episode.support_x, query_y=episode.support_y)
    learner = probe(l2=1e-6)
    before = [p.clone() for p in learner.backbone.parameters()]
    assert learner.objective.score(learner(episode), episode.query_y) == 1
    assert all(map(torch.equal, before, learner.backbone.parameters()))
    assert not learner(episode).requires_grad


def test_features_that_are_not_finite_give_scores_that_are_not():
    episode = random_episode()
    broken = episode._replace(support_x=torch.full_like(episode.support_x, torch.nan))
    assert probe()(broken).isnan().all()


def test_training_and_regression_are_refused():
    with pytest.raises(UserError, match="LinearProbeLearner is not trained, .* use this one in the evaluation"):
        probe().train()(random_episode())
    episode = random_episode()
    with pytest.raises(UserError, match="needs classes, and a regression has none"):
        probe()(episode._replace(support_y=episode.support_y.double()))
    with pytest.raises(UserError, match="features of shape"):
        LinearProbeLearner(nn.Identity()).eval()(episode)


def test_the_stamp():
    assert (
        probe(l2=0.5, num_steps=7).stamp().items() >= {"l2": 0.5, "steps": 7, "batch_norm": "support moments"}.items()
    )
    assert probe(normalization=batch_statistics).stamp()["batch_norm"] == "batch statistics"
