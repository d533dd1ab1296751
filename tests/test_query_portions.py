"""Query sets in portions: equal scores and meta-gradients, less memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import gin
import pytest
import torch
from torch import Tensor, nn

from alfa_md.errors import UserError
from alfa_md.experiment import config, definition
from alfa_md.learners.adapts import all_but_batch_norm, everything
from alfa_md.learners.batching.traced import Traced
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.normalization import support_moments
from tests.episodes import meta_gradients, meta_loss, random_episode, small_learner, smooth_net

EPISODE = random_episode(queries=5)  # 15 query images
SIZES = (1, 4, 15, 100)


def in_portions(size: int | None) -> Callable:
    return partial(support_moments, query_portion=size)


def assert_equal(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("adapted", [True, False])
@pytest.mark.parametrize("first_order", [True, False])
def test_scores_and_meta_gradients_are_equal(first_order, adapted, size):
    options = {"first_order": first_order, "adapts": everything if adapted else all_but_batch_norm}
    whole, split = small_learner(**options), small_learner(**options, normalization=in_portions(size))
    assert_equal(split(EPISODE), whole(EPISODE))
    expected, grads = meta_gradients(whole, EPISODE), meta_gradients(split, EPISODE)
    assert grads.keys() == expected.keys()
    for name, value in expected.items():
        assert_equal(grads[name], value)
    with torch.no_grad():
        assert_equal(split.eval()(EPISODE), whole.eval()(EPISODE))


def test_recomputation_repeats_dropout():
    """Against finite differences with the same random numbers; recomputation with others would be wrong."""
    net = nn.Sequential(smooth_net(), nn.Dropout(0.5)).double()
    query, direction = EPISODE.query_x.clone().requires_grad_(), torch.randn_like(EPISODE.query_x)

    def total(images: Tensor) -> Tensor:
        torch.manual_seed(1)
        return in_portions(4)().query(net, EPISODE.support_x, images).square().sum()

    (gradient,) = torch.autograd.grad(total(query), query)
    step = 1e-6 * direction
    slope = (total(query + step) - total(query - step)).item() / 2e-6
    assert (gradient * direction).sum().item() == pytest.approx(slope, rel=1e-6)


class CountingNet(nn.Module):
    """A network that records the number of images of every call."""

    def __init__(self):
        super().__init__()
        self.net, self.given = smooth_net().double(), []

    def forward(self, images: Tensor) -> Tensor:
        self.given.append(len(images))
        return self.net(images)


def test_portions_are_recomputed_in_the_backward_pass_only():
    net, support = CountingNet(), len(EPISODE.support_x)
    with torch.no_grad():
        in_portions(6)().query(net, EPISODE.support_x, EPISODE.query_x)
    assert net.given == [support, 6, 6, 3]
    net.given.clear()
    in_portions(6)().query(net, EPISODE.support_x, EPISODE.query_x).sum().backward()
    assert net.given[:4] == [support, 6, 6, 3] and sorted(net.given[4:]) == [3, 6, 6]


@contextmanager
def saved_bytes() -> Iterator[list[int]]:
    """Yields a list of one entry: the bytes of distinct tensors saved for backward inside."""
    seen, total = {}, [0]

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen[storage.data_ptr()] = tensor  # kept alive, so that no other tensor gets its address
            total[0] += storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield total


def bytes_of(size: int | None, queries: int) -> int:
    learner = small_learner(backbone=smooth_net(channels=24), normalization=in_portions(size))
    with saved_bytes() as total:
        meta_loss(learner, random_episode(queries=queries))
    return total[0]


def test_training_saves_images_and_features_but_no_activations():
    whole, split = ([bytes_of(size, queries) for queries in (10, 40)] for size in (None, 4))
    pixels = 90 * EPISODE.query_x[0].numel() * 8  # bytes of the 90 additional images
    assert split[0] < 0.75 * whole[0]
    assert split[1] - split[0] < 1.5 * pixels < 4 * pixels < whole[1] - whole[0]


@pytest.mark.parametrize("size", [0, -3])
def test_portions_below_one_are_refused(size):
    with pytest.raises(UserError, match=f"support_moments.query_portion = {size} must be at least 1"):
        small_learner(normalization=in_portions(size))


@pytest.mark.parametrize("batching", [vmapped, Traced()])
def test_portions_are_refused_for_stacked_episodes(batching):
    learner = small_learner(batching=batching, normalization=in_portions(2))
    with pytest.raises(UserError, match="query_portion is for one episode at a time; set GradientLearner.batc"):
        learner.forward_episodes([random_episode(seed=seed) for seed in range(2)])
    assert learner(EPISODE).shape == learner.forward_episodes([EPISODE])[0].shape == (15, 3)


@pytest.fixture
def clean_gin():
    yield
    gin.clear_config()


@pytest.mark.usefixtures("clean_gin")
def test_query_portion_is_a_parameter_of_support_moments_alone():
    files = ["gin/proto_maml_alfa.gin", "gin/quickstart.gin"]
    config.parse(files, ["support_moments.query_portion = 7"])
    learner = definition.build_experiment(0).learner
    assert learner.normalization.query_portion == 7
    assert "support_moments.query_portion = 7" in config.operative()
    with pytest.raises(UserError, match="batch_statistics' doesn't have a parameter named 'query_portion'"):
        config.parse(files, ["batch_statistics.query_portion = 7"])
