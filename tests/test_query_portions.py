"""The query set in portions: the same scores and meta-gradients, in less memory."""

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


def close(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("adapted", [True, False])
@pytest.mark.parametrize("first_order", [True, False])
def test_scores_and_meta_gradients_are_the_same(first_order, adapted, size):
    options = {"first_order": first_order, "adapts": everything if adapted else all_but_batch_norm}
    whole, split = small_learner(**options), small_learner(**options, normalization=in_portions(size))
    close(split(EPISODE), whole(EPISODE))
    expected, grads = meta_gradients(whole, EPISODE), meta_gradients(split, EPISODE)
    assert grads.keys() == expected.keys()
    for name, value in expected.items():
        close(grads[name], value)
    with torch.no_grad():
        close(split.eval()(EPISODE), whole.eval()(EPISODE))


def test_a_dropped_unit_stays_dropped_when_it_is_computed_again():
    """Against finite differences of the same random numbers: other ones in the backward pass would show."""
    net = nn.Sequential(smooth_net(), nn.Dropout(0.5)).double()
    query, direction = EPISODE.query_x.clone().requires_grad_(), torch.randn_like(EPISODE.query_x)

    def total(images: Tensor) -> Tensor:
        torch.manual_seed(1)
        return in_portions(4)().query(net, EPISODE.support_x, images).square().sum()

    (gradient,) = torch.autograd.grad(total(query), query)
    step = 1e-6 * direction
    slope = (total(query + step) - total(query - step)).item() / 2e-6
    assert (gradient * direction).sum().item() == pytest.approx(slope, rel=1e-6)


class Watched(nn.Module):
    """A network that notes how many images it is given each time."""

    def __init__(self):
        super().__init__()
        self.net, self.given = smooth_net().double(), []

    def forward(self, images: Tensor) -> Tensor:
        self.given.append(len(images))
        return self.net(images)


def test_portions_go_one_after_the_other_and_again_in_the_backward_pass_only():
    watched, support = Watched(), len(EPISODE.support_x)
    with torch.no_grad():
        in_portions(6)().query(watched, EPISODE.support_x, EPISODE.query_x)
    assert watched.given == [support, 6, 6, 3]
    watched.given.clear()
    in_portions(6)().query(watched, EPISODE.support_x, EPISODE.query_x).sum().backward()
    assert watched.given[:4] == [support, 6, 6, 3] and sorted(watched.given[4:]) == [3, 6, 6]


@contextmanager
def kept_bytes() -> Iterator[list[int]]:
    """In the one entry: the bytes of the tensors, each counted once, that are saved for the backward pass within."""
    seen, total = {}, [0]

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen[storage.data_ptr()] = tensor  # so that no other tensor gets its address
            total[0] += storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield total


def bytes_of(size: int | None, queries: int) -> int:
    learner = small_learner(backbone=smooth_net(channels=24), normalization=in_portions(size))
    with kept_bytes() as total:
        meta_loss(learner, random_episode(queries=queries))
    return total[0]


def test_training_keeps_pixels_and_features_of_the_query_set_but_no_activations():
    whole, split = ([bytes_of(size, queries) for queries in (10, 40)] for size in (None, 4))
    pixels = 90 * EPISODE.query_x[0].numel() * 8  # of the 90 further images
    assert split[0] < 0.75 * whole[0]
    assert split[1] - split[0] < 1.5 * pixels < 4 * pixels < whole[1] - whole[0]


@pytest.mark.parametrize("size", [0, -3])
def test_a_portion_of_nothing_is_refused(size):
    with pytest.raises(UserError, match=f"support_moments.query_portion = {size} must be at least 1"):
        small_learner(normalization=in_portions(size))


@pytest.mark.parametrize("batching", [vmapped, Traced()])
def test_episodes_that_go_through_together_are_not_split(batching):
    learner = small_learner(batching=batching, normalization=in_portions(2))
    with pytest.raises(UserError, match="query_portion is for one episode at a time; set GradientLearner.batc"):
        learner.forward_episodes([random_episode(seed=seed) for seed in range(2)])
    assert learner(EPISODE).shape == learner.forward_episodes([EPISODE])[0].shape == (15, 3)


@pytest.fixture
def own_configuration():
    yield
    gin.clear_config()


@pytest.mark.usefixtures("own_configuration")
def test_a_gin_file_splits_the_support_protocol_and_no_other():
    files = ["gin/proto_maml_alfa.gin", "gin/quickstart.gin"]
    config.parse(files, ["support_moments.query_portion = 7"])
    learner = definition.build_experiment(0).learner
    assert learner.normalization.query_portion == 7
    assert "support_moments.query_portion = 7" in config.operative()
    with pytest.raises(UserError, match="batch_statistics' doesn't have a parameter named 'query_portion'"):
        config.parse(files, ["batch_statistics.query_portion = 7"])
