"""Batch normalisation per shard, and its label leak in class-ordered batches."""

from functools import partial

import pytest
import torch
from torch import nn

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.sharded_batch_norm import ShardedBatchNorm
from alfa_md.errors import UserError
from alfa_md.heads import LearnedHead, prototypes
from alfa_md.normalization import EpisodicBatchNorm, batch_statistics, support_moments
from alfa_md.rules.sgd import sgd
from tests.episodes import random_episode, small_learner

DEVICES = 2


@pytest.mark.parametrize("size, shards", [(6, 1), (6, 2), (6, 3), (7, 3), (10, 4)])
def test_every_shard_is_normalised_by_itself(size, shards):
    sharded, unsharded = ShardedBatchNorm(3, shards).double(), EpisodicBatchNorm(3).double()
    with torch.no_grad():
        for parameter in (sharded.weight, unsharded.weight):
            parameter.copy_(torch.tensor([1.0, -2.0, 0.5]))
    x = torch.randn(size, 3, 4, 4, dtype=torch.float64)
    assert torch.equal(sharded(x), torch.cat([unsharded(part) for part in x.chunk(shards)]))
    assert torch.equal(sharded(x), unsharded(x)) == (shards == 1)


def test_it_refuses_support_moments():
    layer, x = ShardedBatchNorm(3, DEVICES), torch.randn(4, 3, 2, 2)
    assert batch_statistics().query(layer, x, x).shape == x.shape
    with pytest.raises(UserError, match="no moments to hand over; set normalization = @batch_statistics"):
        support_moments().query(layer, x, x)
    with pytest.raises(UserError, match="ShardedBatchNorm.num_shards = 0 must be at least 1"):
        ShardedBatchNorm(3, 0)


def indistinguishable_classes(number, seed):
    """Four classes in class order, classes 1 and 2 with the same distribution: images [4 number, 2, 3, 3], labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(4).repeat_interleave(number)
    values = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [2.0, 1.0]])[labels]
    return values[:, :, None, None] + 0.05 * torch.randn(4 * number, 2, 3, 3, generator=generator), labels


def accuracy(norm, query_x, query_y):
    """The accuracy of the nearest class mean on normalised images."""
    embed = nn.Sequential(norm, nn.AvgPool2d(3), nn.Flatten())
    support_x, support_y = indistinguishable_classes(5, seed=1)
    means = prototypes(embed(support_x), support_y, 4)
    return (torch.cdist(embed(query_x), means).argmin(dim=1) == query_y).double().mean().item()


def test_the_order_of_the_query_distinguishes_identical_classes():
    x, y = indistinguishable_classes(15, seed=2)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(3))
    sharded, plain = ShardedBatchNorm(2, DEVICES), EpisodicBatchNorm(2)
    assert accuracy(sharded, x, y) == 1
    assert accuracy(sharded, x[order], y[order]) < 0.9
    assert accuracy(plain, x, y) == accuracy(plain, x[order], y[order]) < 0.9


@pytest.mark.parametrize(
    "batch_norm, leaks", [(EpisodicBatchNorm, False), (partial(ShardedBatchNorm, num_shards=DEVICES), True)]
)
def test_shuffling_the_query_changes_predictions_with_a_leak(batch_norm, leaks):
    backbone = Conv4(num_filters=4, batch_norm=batch_norm)
    head, rule = LearnedHead(4, 3), partial(sgd, inner_rate=0.1)
    learner = small_learner(rule, head, backbone, normalization=batch_statistics)
    episode = random_episode(size=16, queries=4)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    shuffled = learner(episode._replace(query_x=episode.query_x[order], query_y=episode.query_y[order]))
    change = (shuffled - learner(episode)[order]).abs().max().item()
    assert change > 1e-3 if leaks else change < 1e-9
