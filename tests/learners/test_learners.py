"""The contract of learners, one row each, and definitions of single learners."""

from functools import partial

import pytest
import torch
from torch import nn

from alfa_md.errors import UserError
from alfa_md.heads import LearnedHead, PrototypeHead, ZeroHead
from alfa_md.learners.adapts import all_but_batch_norm
from alfa_md.learners.baseline import BaselineLearner
from alfa_md.learners.classifiers import LinearClassifier
from alfa_md.learners.fine_tuning import FineTuningLearner
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.linear_probe import LinearProbeLearner
from alfa_md.learners.nearest_neighbor import NearestNeighborLearner, Pixels, cosine
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.params import select_parameters
from alfa_md.rules.sgd import sgd
from tests.episodes import random_episode, small_convnet, small_learner, smooth_net

LEARNERS = {
    "fo-MAML": partial(small_learner, partial(sgd, inner_rate=0.1), ZeroHead()),
    "fo-Proto-MAML": partial(small_learner, partial(sgd, inner_rate=0.1), PrototypeHead()),
    "fo-Proto-MAML + ALFA": small_learner,
    "Proto-MAML + ALFA, frozen BN": partial(small_learner, first_order=False, adapts=all_but_batch_norm),
    "MAML, learned head": lambda: small_learner(partial(sgd, inner_rate=0.1), LearnedHead(16, 5)),
    "prototypical": lambda: PrototypicalLearner(smooth_net()).double(),
    "pixel nearest neighbour": lambda: NearestNeighborLearner(Pixels()),
    "feature nearest neighbour": lambda: NearestNeighborLearner(smooth_net()).double(),
    "nearest neighbour by cosine": lambda: NearestNeighborLearner(smooth_net(), cosine).double(),
    "linear probe": lambda: LinearProbeLearner(smooth_net()).double().eval(),
    "fine-tuning": lambda: FineTuningLearner(smooth_net(), rate=0.01, num_steps=5).double(),
    "baseline": lambda: BaselineLearner(smooth_net(), LinearClassifier(16, 3)).double().eval(),
}
every_learner = pytest.mark.parametrize("make", LEARNERS.values(), ids=LEARNERS)


@every_learner
def test_a_scorer_gives_the_scores_of_the_episode_in_any_portions(make):
    episode = random_episode()
    learner = make().eval()
    with torch.no_grad():
        expected = learner(episode)
        scorer = learner.scorer(episode._replace(query_x=episode.query_x[:0], query_y=episode.query_y[:0]))
        found = torch.cat([scorer(portion) for portion in episode.query_x.split([3, 2, 1])])
    torch.testing.assert_close(found, expected)


@every_learner
@pytest.mark.parametrize("way, shots", [(2, (1, 2)), (5, (2, 1, 3, 1, 1))])
def test_scores_have_one_column_per_class(make, way, shots):
    episode = random_episode(way, shots)
    assert make()(episode).shape == (len(episode.query_y), way)


@every_learner
def test_predictions_do_not_depend_on_other_query_images(make):
    learner, episode = make(), random_episode()
    scores = learner(episode)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    permuted = learner(episode._replace(query_x=episode.query_x[order], query_y=episode.query_y[order]))
    torch.testing.assert_close(permuted, scores[order], rtol=1e-10, atol=1e-12)
    parts = [
        learner(episode._replace(query_x=x, query_y=y))
        for x, y in zip(episode.query_x.split(2), episode.query_y.split(2), strict=True)
    ]
    torch.testing.assert_close(torch.cat(parts), scores, rtol=1e-10, atol=1e-12)


@every_learner
def test_forward_episodes_equals_one_at_a_time(make):
    learner, episodes = make(), [random_episode(seed=seed) for seed in range(2)]
    for scores, episode in zip(learner.forward_episodes(episodes), episodes, strict=True):
        assert torch.equal(scores, learner(episode))


@every_learner
def test_outer_losses_are_scalars_of_one_episode_at_a_time(make):
    learner, episodes = make(), [random_episode(seed=seed) for seed in range(2)]
    for outcome, episode in zip(learner.losses(episodes), episodes, strict=True):
        single = learner.loss(episode)
        assert outcome.loss.shape == () and outcome.loss.isfinite() and torch.equal(outcome.loss, single.loss)
        assert torch.equal(outcome.scores, learner(episode)) and torch.equal(single.scores, outcome.scores)


@every_learner
def test_episodes_leave_no_state(make):
    learner, episode = make(), random_episode()
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    first = learner(episode)
    learner(random_episode(seed=9))
    assert torch.equal(first, learner(episode))
    assert all(torch.equal(value, before[name]) for name, value in learner.state_dict().items())


def test_additional_steps_are_taken_in_evaluation_only():
    episode = random_episode()
    learner = small_learner(num_steps=2, additional_evaluation_steps=3)
    longer = small_learner(num_steps=2)
    longer.num_steps = 5
    assert torch.equal(learner.train()(episode), small_learner(num_steps=2)(episode))
    assert torch.equal(learner.eval()(episode), longer(episode))


def test_frozen_batch_norm_stays_out_of_the_inner_loop_but_is_meta_learned():
    learner = small_learner(adapts=all_but_batch_norm)
    assert set(learner.adapted_backbone()) == {"backbone.0.weight", "backbone.3.weight"}
    learner.objective.loss(learner(random_episode()), random_episode().query_y).backward()
    assert learner.backbone[1].weight.grad.abs().sum() > 0
    assert len(small_learner().adapted_backbone()) == 6


def test_zero_head_adapts_the_backbone_from_the_second_step_on():
    episode, learner = random_episode(), small_learner(partial(sgd, inner_rate=0.1), ZeroHead(), num_steps=1)
    after = learner.adapted(episode)
    before = learner.adapted_backbone()
    assert all(torch.equal(after[name], before[name]) for name in before) and after["head.weight"].any()


@pytest.mark.parametrize("head, expected", [(ZeroHead(), 4), (LearnedHead(4, 5), 5)])
def test_weight_decay_acts_on_convolution_weights_and_a_learned_head_only(head, expected):
    learner = small_learner(head=head, backbone=small_convnet())
    names = {id(parameter): name for name, parameter in learner.named_parameters()}
    decayed = {names[id(parameter)] for parameter in learner.decayed_parameters()}
    convolutions = {f"backbone.layers.{i}.0.weight" for i in range(4)}
    assert decayed - {"head.weight"} == convolutions and len(decayed) == expected


def test_prototypical_scores_are_negative_squared_distances():
    episode = random_episode()._replace(support_x=torch.eye(3).repeat_interleave(2, 0), query_x=torch.eye(3))
    episode = episode._replace(support_y=torch.tensor([0, 0, 1, 1, 2, 2]))
    assert PrototypicalLearner(nn.Identity())(episode).tolist() == [[0, -2, -2], [-2, 0, -2], [-2, -2, 0]]


def test_nearest_neighbour_finds_identical_images():
    episode = random_episode()
    copies = episode._replace(query_x=episode.support_x, query_y=episode.support_y)
    learner = NearestNeighborLearner(Pixels())
    assert learner.objective.score(learner(copies), copies.query_y) == 1


def test_any_module_is_a_backbone():
    backbone = nn.Sequential(nn.Flatten(), nn.Linear(3 * 144, 8), nn.Tanh())
    learner = small_learner(backbone=backbone)
    assert isinstance(learner, GradientLearner) and learner(random_episode()).isfinite().all()
    assert list(select_parameters(backbone, "x.")) == ["x.1.weight", "x.1.bias"]


def test_a_backbone_with_running_averages_is_refused():
    backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten())
    with pytest.raises(UserError, match="layer 1 keeps running averages; use EpisodicBatchNorm"):
        small_learner(backbone=backbone)
    backbone[1] = nn.BatchNorm2d(4, track_running_stats=False)
    assert small_learner(backbone=backbone)(random_episode()).isfinite().all()


def test_the_stamp_has_the_batch_norm():
    assert NearestNeighborLearner(Pixels()).stamp()["batch_norm"] == "none"
    assert PrototypicalLearner(smooth_net()).stamp()["batch_norm"] == "support moments"
    assert small_learner().stamp()["batch_norm"] == "support moments, adapted"
    assert small_learner(adapts=all_but_batch_norm).stamp()["batch_norm"] == "support moments, frozen in the inner loop"
