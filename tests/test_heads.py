"""Heads: what an episode starts from."""

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.heads import LearnedHead, PrototypeHead, ZeroHead, prototypes


def flat(images):
    return images.flatten(1)


X = torch.arange(24, dtype=torch.float64).reshape(4, 6)
Y = torch.tensor([0, 1, 1, 1])


@pytest.mark.parametrize("head", [ZeroHead(), LearnedHead(6, 5), PrototypeHead()], ids=lambda head: type(head).__name__)
def test_every_head_serves_the_episode_s_way(head):
    params = head.double()(flat, X, Y, 2)
    assert params["head.weight"].shape == (2, 6) and params["head.bias"].shape == (2,)


def test_zero_head_is_zero():
    params = ZeroHead()(flat, X, Y, 2)
    assert not params["head.weight"].any() and not params["head.bias"].any()


def test_prototypes_are_class_means():
    assert torch.equal(prototypes(X, Y, 2), torch.stack([X[0], X[1:].mean(0)]))


def test_learned_head_refuses_more_ways_than_it_has():
    with pytest.raises(UserError, match="max_way >= 7"):
        LearnedHead(6, 5)(flat, X, Y, 7)


@pytest.mark.parametrize("sizes", [(0, 5), (6, 0)])
def test_learned_head_needs_features_and_classes(sizes):
    with pytest.raises(UserError, match=r"LearnedHead\.\w+ = 0 must be at least 1"):
        LearnedHead(*sizes)


def test_learned_head_starts_as_meta_dataset_s():
    head = LearnedHead(600, 50)
    assert (head.bias == 0.1).all() and head.weight.abs().max() <= 0.2 and 0.08 < head.weight.std() < 0.095
