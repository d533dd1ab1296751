"""The contract of heads, one row each, and what is particular to one of them."""

from functools import partial

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.heads import NAMES, LearnedHead, PrototypeHead, ZeroHead, linear, prototypes, uniform, xavier

X = torch.arange(24, dtype=torch.float64).reshape(4, 6)
Y = torch.tensor([0, 1, 1, 1])
# a new head is a new row: made for features of 6 and up to 5 ways, and whether it looks at the support images
HEADS = {
    "zero": (ZeroHead, "prefix"),
    "learned": (partial(LearnedHead, 6, 5), "none"),
    "learned, xavier": (partial(LearnedHead, 6, 5, xavier), "none"),
    "learned, uniform": (partial(LearnedHead, 6, 5, uniform), "none"),
    "prototypes": (PrototypeHead, "all"),
}
every_head = pytest.mark.parametrize("head, looks_at", HEADS.values(), ids=HEADS)


def flat(images):
    return images.flatten(1)


def made(head, seed=0):
    torch.manual_seed(seed)
    return head().double()


@every_head
@pytest.mark.parametrize("way, labels", [(1, (0, 0, 0, 0)), (2, (0, 1, 1, 1)), (4, (0, 1, 2, 3))])
def test_names_shapes_and_types_for_any_way(head, looks_at, way, labels):
    params = made(head)(flat, X, torch.tensor(labels), way)
    assert {name: tensor.shape for name, tensor in params.items()} == {"head.weight": (way, 6), "head.bias": (way,)}
    assert all(tensor.dtype == X.dtype and tensor.isfinite().all() for tensor in params.values())


@every_head
def test_a_template_has_the_names_and_the_tensors_that_all_episodes_start_from(head, looks_at):
    ours = made(head)
    template = ours.template()
    assert tuple(template) == NAMES and tuple(ours(flat, X, Y, 2)) == NAMES
    own = {id(parameter) for parameter in ours.parameters()}
    starts = [id(tensor) in own for tensor in template.values() if tensor is not None]
    assert len(starts) in (0, len(NAMES)) and all(starts)


@every_head
def test_support_images_are_embedded_at_most_once_all_or_a_prefix(head, looks_at):
    """`embed` may give features that were computed before, of which the first are asked for."""
    calls = []

    def embed(images):
        calls.append(images)
        return X[: len(images)]

    params = made(head)(embed, X, Y, 2)
    assert len(calls) == (looks_at != "none") and all(torch.equal(images, X[: len(images)]) for images in calls)
    assert all((images is X) == (looks_at == "all") for images in calls)
    assert all(torch.equal(params[name], tensor) for name, tensor in made(head)(flat, X, Y, 2).items())


@every_head
def test_gradients_reach_what_is_learned(head, looks_at):
    """The head's own parameters, and the features where the head is made of them."""
    ours, features = made(head), X.clone().requires_grad_()
    params = ours(lambda images: features[: len(images)], X, Y, 2)
    live = [tensor for tensor in params.values() if tensor.requires_grad]
    assert bool(live) == (bool(list(ours.parameters())) or looks_at == "all")
    if live:
        sum(tensor.square().sum() for tensor in live).backward()
    assert (features.grad is not None) == (looks_at == "all")
    starts = {id(tensor) for tensor in ours.template().values()}
    for parameter in ours.parameters():
        if id(parameter) in starts:  # rows of absent classes have no gradient
            assert torch.equal(parameter.grad[:2], 2 * parameter[:2]) and not parameter.grad[2:].any()
        else:
            assert parameter.grad.any()


@every_head
def test_no_graph_without_gradients_and_the_same_values(head, looks_at):
    ours, features = made(head), X.clone().requires_grad_()
    with torch.no_grad():
        without = ours(lambda images: features[: len(images)], X, Y, 2)
    for name, tensor in ours(flat, X, Y, 2).items():
        assert torch.equal(without[name], tensor) and without[name].grad_fn is None


@every_head
def test_state_dict_round_trip(head, looks_at):
    one, other = made(head), made(head, seed=1)
    other.load_state_dict(one.state_dict())
    ours, theirs = (each(flat, X, Y, 2) for each in (one, other))
    assert all(torch.equal(ours[name], theirs[name]) for name in NAMES)


@every_head
def test_scores_are_linear_in_features(head, looks_at):
    params = made(head)(flat, X, Y, 2)
    torch.testing.assert_close(linear(X, params), X @ params["head.weight"].T + params["head.bias"])
    with pytest.raises(UserError, match="^the backbone gives 5 features, but the head takes 6; set LearnedHead"):
        linear(X[:, :5], params)


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
