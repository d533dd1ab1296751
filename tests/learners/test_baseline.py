"""The k-NN baseline: training as a classifier on batches, evaluation by 1-NN."""

import pytest
import torch
from torch import nn

from alfa_md.errors import UserError
from alfa_md.learners.baseline import BaselineLearner
from alfa_md.learners.classifiers import CosineClassifier, LinearClassifier, ScaledCosineClassifier
from alfa_md.learners.nearest_neighbor import NearestNeighborLearner, cosine, euclidean
from tests.episodes import random_episode, small_convnet, smooth_net

CLASSES = 3


def learner(make=LinearClassifier, backbone=None, distance=euclidean, num_classes=CLASSES) -> BaselineLearner:
    torch.manual_seed(0)
    return BaselineLearner(backbone or smooth_net(), make(16, num_classes), distance).double()


def batch(seed=0, **size):
    """All images of a random episode, as a batch."""
    episode = random_episode(seed=seed, queries=6, **size)
    return episode._replace(support_x=episode.support_x[:0], support_y=episode.support_y[:0])


def test_training_mode_classifies_by_the_batch_s_own_moments():
    ours, images = learner(), batch()
    expected = ours.classifier(ours.backbone(images.query_x))
    assert torch.equal(ours.train()(images), expected) and expected.shape == (18, CLASSES)
    smaller_batch = ours(images._replace(query_x=images.query_x[:4], query_y=images.query_y[:4]))
    assert not torch.allclose(smaller_batch, expected[:4])


@pytest.mark.parametrize("make", [LinearClassifier, CosineClassifier, ScaledCosineClassifier])
def test_the_loss_falls(make):
    ours = learner(make)
    optimizer = torch.optim.Adam(ours.parameters(), lr=0.02)
    losses = []
    for step in range(40):
        episode = batch(seed=step % 4)._replace(query_x=batch().query_x + 0.3 * batch(seed=step).query_x)
        loss = ours.objective.loss(ours(episode), episode.query_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5]), losses


@pytest.mark.parametrize("distance", [euclidean, cosine])
def test_evaluation_mode_is_the_nearest_neighbour_learner(distance):
    ours, episode = learner(distance=distance).eval(), random_episode(way=5, shots=(2, 1, 3, 1, 1), queries=4)
    scores = ours(episode)
    assert torch.equal(scores, NearestNeighborLearner(ours.backbone, distance)(episode))
    assert (scores.sum(dim=1) == 1).all() and scores.shape == (20, 5) and not scores.requires_grad


def test_cosine_ignores_norms_and_euclidean_does_not():
    support = torch.tensor([[1.0, 0.0], [8.0, 8.0]])
    query = torch.tensor([[2.0, 1.5], [0.1, 0.0]])
    episode = random_episode(way=2)._replace(support_x=support, support_y=torch.tensor([0, 1]), query_x=query)
    assert NearestNeighborLearner(nn.Identity())(episode).argmax(dim=1).tolist() == [0, 0]
    assert NearestNeighborLearner(nn.Identity(), cosine)(episode).argmax(dim=1).tolist() == [1, 0]


def test_more_classes_than_the_classifier_has_are_refused():
    ours, images = learner(num_classes=2), batch()
    with pytest.raises(
        UserError, match="has 2 classes, but .* 3; set LinearClassifier.num_classes .*NUM_CLASSES.* to 3"
    ):
        ours(images)
    assert learner(num_classes=4)(images).shape == (18, 4)
    assert ours.eval()(random_episode()).shape == (6, 3)  # an episode has its own labels


def test_training_on_an_episode_is_refused():
    with pytest.raises(UserError, match="trained on batches, not on episodes .* bind Experiment.batches = @batches"):
        learner()(random_episode())


@pytest.mark.parametrize(
    "make, heads",
    [
        (LinearClassifier, {"classifier.weight"}),
        (CosineClassifier, {"classifier.weight"}),
        (ScaledCosineClassifier, set()),
    ],
)
def test_weight_decay_acts_on_convolution_weights_and_the_classifier_s_weight(make, heads):
    ours = learner(make, backbone=small_convnet())
    names = {id(parameter): name for name, parameter in ours.named_parameters()}
    convolutions = {f"backbone.layers.{i}.0.weight" for i in range(4)}
    assert {names[id(parameter)] for parameter in ours.decayed_parameters()} == convolutions | heads


def test_the_stamp_has_classifier_and_distance():
    stamp = learner(CosineClassifier, distance=cosine).stamp()
    assert (stamp["learner"], stamp["classifier"], stamp["distance"]) == (
        "BaselineLearner",
        "CosineClassifier",
        "cosine",
    )
