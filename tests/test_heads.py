"""The contract of heads, one row each, and definitions of single heads."""

from functools import partial

import pytest
import torch
from torch import nn

from alfa_md.errors import UserError
from alfa_md.heads import NAMES, LearnedHead, PrototypeHead, ZeroHead, linear, prototypes, uniform, xavier
from tests.episodes import random_episode, small_learner

X = torch.arange(24, dtype=torch.float64).reshape(4, 6)
Y = torch.tensor([0, 1, 1, 1])
# add a row for every new head: its constructor for 6 features and up to 5 ways, and the support images that it embeds
HEADS = {
    "zero": (ZeroHead, "prefix"),
    "learned": (partial(LearnedHead, 6, 5), "none"),
    "learned, xavier": (partial(LearnedHead, 6, 5, xavier), "none"),
    "learned, uniform": (partial(LearnedHead, 6, 5, uniform), "none"),
    "prototypes": (PrototypeHead, "all"),
}
every_head = pytest.mark.parametrize("head, embeds", HEADS.values(), ids=HEADS)


def flatten(images):
    return images.flatten(1)


def build_head(head, seed=0):
    torch.manual_seed(seed)
    return head().double()


@every_head
@pytest.mark.parametrize("way, labels", [(1, (0, 0, 0, 0)), (2, (0, 1, 1, 1)), (4, (0, 1, 2, 3))])
def test_names_shapes_and_dtypes_for_any_way(head, embeds, way, labels):
    params = build_head(head)(flatten, X, torch.tensor(labels), way)
    assert {name: tensor.shape for name, tensor in params.items()} == {"head.weight": (way, 6), "head.bias": (way,)}
    assert all(tensor.dtype == X.dtype and tensor.isfinite().all() for tensor in params.values())


@every_head
def test_template_has_names_and_shared_initial_tensors(head, embeds):
    ours = build_head(head)
    template = ours.template()
    assert tuple(template) == NAMES and tuple(ours(flatten, X, Y, 2)) == NAMES
    own = {id(parameter) for parameter in ours.parameters()}
    initial = [id(tensor) in own for tensor in template.values() if tensor is not None]
    assert len(initial) in (0, len(NAMES)) and all(initial)


@every_head
def test_embed_is_called_at_most_once_on_all_images_or_a_prefix(head, embeds):
    """`embed` may return the first of features computed before."""
    calls = []

    def embed(images):
        calls.append(images)
        return X[: len(images)]

    params = build_head(head)(embed, X, Y, 2)
    assert len(calls) == (embeds != "none") and all(torch.equal(images, X[: len(images)]) for images in calls)
    assert all((images is X) == (embeds == "all") for images in calls)
    assert all(torch.equal(params[name], tensor) for name, tensor in build_head(head)(flatten, X, Y, 2).items())


@every_head
def test_gradients_reach_parameters_and_features(head, embeds):
    """Gradients reach the head's parameters, and the features if the head depends on their values."""
    ours, features = build_head(head), X.clone().requires_grad_()
    params = ours(lambda images: features[: len(images)], X, Y, 2)
    live = [tensor for tensor in params.values() if tensor.requires_grad]
    assert bool(live) == (bool(list(ours.parameters())) or embeds == "all")
    if live:
        sum(tensor.square().sum() for tensor in live).backward()
    assert (features.grad is not None) == (embeds == "all")
    initial = {id(tensor) for tensor in ours.template().values()}
    for parameter in ours.parameters():
        if id(parameter) in initial:  # rows of absent classes have no gradient
            assert torch.equal(parameter.grad[:2], 2 * parameter[:2]) and not parameter.grad[2:].any()
        else:
            assert parameter.grad.any()


@every_head
def test_no_grad_keeps_no_graph_and_gives_the_same_values(head, embeds):
    ours, features = build_head(head), X.clone().requires_grad_()
    with torch.no_grad():
        without = ours(lambda images: features[: len(images)], X, Y, 2)
    for name, tensor in ours(flatten, X, Y, 2).items():
        assert torch.equal(without[name], tensor) and without[name].grad_fn is None


@every_head
def test_state_dict_round_trip(head, embeds):
    one, other = build_head(head), build_head(head, seed=1)
    other.load_state_dict(one.state_dict())
    ours, theirs = (each(flatten, X, Y, 2) for each in (one, other))
    assert all(torch.equal(ours[name], theirs[name]) for name in NAMES)


@every_head
def test_scores_are_linear_in_features(head, embeds):
    params = build_head(head)(flatten, X, Y, 2)
    torch.testing.assert_close(linear(X, params), X @ params["head.weight"].T + params["head.bias"])
    with pytest.raises(UserError, match="^the backbone gives 5 features, but the head takes 6; set LearnedHead"):
        linear(X[:, :5], params)


def test_zero_head_is_zero():
    params = ZeroHead()(flatten, X, Y, 2)
    assert not params["head.weight"].any() and not params["head.bias"].any()


def test_prototypes_are_class_means():
    assert torch.equal(prototypes(X, Y, 2), torch.stack([X[0], X[1:].mean(0)]))


def test_learned_head_refuses_more_ways_than_it_has():
    with pytest.raises(UserError, match="max_way >= 7"):
        LearnedHead(6, 5)(flatten, X, Y, 7)


@pytest.mark.parametrize("sizes", [(0, 5), (6, 0)])
def test_learned_head_needs_features_and_classes(sizes):
    with pytest.raises(UserError, match=r"LearnedHead\.\w+ = 0 must be at least 1"):
        LearnedHead(*sizes)


def test_default_initialisation_is_meta_dataset_s():
    head = LearnedHead(600, 50)
    assert (head.bias == 0.1).all() and head.weight.abs().max() <= 0.2 and 0.08 < head.weight.std() < 0.095


@pytest.mark.parametrize("head", [ZeroHead, PrototypeHead, partial(LearnedHead, 4, 3)])
def test_features_that_are_no_vectors_are_refused(head):
    backbone = nn.Conv2d(3, 4, 3)
    with pytest.raises(UserError, match=r"features of shape \[\d, 4, 10, 10\]; it must give \[N, D\]"):
        small_learner(head=head(), backbone=backbone)(random_episode())
