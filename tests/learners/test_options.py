"""Options of GradientLearner: normalisation protocol, frozen initialisation, head initialisation, objective."""

from functools import partial

import pytest
import torch
from torch import nn

from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.heads import LearnedHead, truncated_normal, uniform, xavier
from alfa_md.learners.adapts import all_but_batch_norm
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.initialization import frozen
from alfa_md.normalization import batch_statistics
from alfa_md.objectives import REGRESSION
from alfa_md.rules.alfa import alfa_random
from alfa_md.rules.sgd import sgd
from tests.episodes import random_episode, small_learner

SGD = partial(sgd, inner_rate=0.1)


def transductive():
    return small_learner(SGD, LearnedHead(16, 3), normalization=batch_statistics)


def test_batch_statistics_depend_on_the_query_set_and_not_on_its_order():
    learner, episode = transductive(), random_episode()
    scores = learner(episode)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    permuted = learner(episode._replace(query_x=episode.query_x[order], query_y=episode.query_y[order]))
    torch.testing.assert_close(permuted, scores[order], rtol=1e-10, atol=1e-12)
    query_x = episode.query_x.clone()
    query_x[0] += 5
    assert (learner(episode._replace(query_x=query_x))[1:] - scores[1:]).abs().max() > 1e-3


def test_batch_statistics_equal_pytorch_s_batch_norm():
    """Without inner steps, equal to nn.BatchNorm2d in training mode."""
    learner, episode = transductive(), random_episode()
    learner.num_steps = 0
    plain = [
        nn.BatchNorm2d(4, track_running_stats=False).double() if i in (1, 4) else m
        for i, m in enumerate(learner.backbone)
    ]
    features = nn.Sequential(*plain)(episode.query_x)
    expected = features @ learner.head.weight.T + learner.head.bias
    torch.testing.assert_close(learner(episode), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "learner, expected",
    [
        (transductive, "batch statistics, adapted"),
        (partial(small_learner, adapts=all_but_batch_norm), "support moments, frozen in the inner loop"),
        (partial(small_learner, backbone=nn.Flatten()), "none"),
    ],
)
def test_the_stamp_has_the_normalisation_protocol(learner, expected):
    assert learner().stamp()["batch_norm"] == expected


def test_training_from_a_frozen_initialisation_changes_the_rule_alone():
    rule = partial(alfa_random, inner_rate=0.1)
    learner = small_learner(rule, LearnedHead(16, 3), first_order=False, initialization=frozen)
    optimizer = torch.optim.Adam([p for p in learner.parameters() if p.requires_grad], lr=0.01)
    before = {name: p.clone() for name, p in learner.named_parameters()}
    for seed in range(10):
        episode = random_episode(seed=seed)
        optimizer.zero_grad()
        learner.objective.loss(learner(episode), episode.query_y).backward()
        optimizer.step()
    moved = {name for name, p in learner.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {name for name in before if name.startswith("rule.")}
    assert learner.stamp()["start"] == "frozen"


@pytest.mark.parametrize("initialize, bias", [(truncated_normal, 0.1), (xavier, 0.0), (uniform, None)])
def test_initialisation_of_a_learned_head(initialize, bias):
    torch.manual_seed(0)
    head = LearnedHead(100, 50, initialize)
    bound = {truncated_normal: 0.2, xavier: (6 / 150) ** 0.5, uniform: 0.1}[initialize]
    assert 0.95 * bound < head.weight.abs().max() <= bound
    assert head.bias.std() > 0.01 if bias is None else (head.bias == bias).all()


def test_regression_reduces_the_squared_error():
    x = torch.linspace(-1, 1, 8, dtype=torch.float64)[:, None]
    episode = Episode(x, 2 * x + 1, x, 2 * x + 1, 1, "line", "train", 0, 0)
    torch.manual_seed(0)
    backbone = nn.Sequential(nn.Linear(1, 8), nn.Tanh())
    errors = []
    for steps in (0, 200):
        torch.manual_seed(0)
        learner = GradientLearner(backbone, LearnedHead(8, 1, uniform), SGD, steps, objective=REGRESSION).double()
        errors.append(REGRESSION.score(learner(episode), episode.query_y).item())
    assert errors[1] < 0.05 * errors[0]


def test_a_head_of_another_dimension_than_the_features_is_refused():
    learner = small_learner(SGD, LearnedHead(17, 3))
    with pytest.raises(
        UserError, match=r"the backbone gives 16 features, but the head takes 17; set LearnedHead.num_fea"
    ):
        learner(random_episode())
