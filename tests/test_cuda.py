"""Learners on a GPU: the numbers of the CPU in float64, without synchronisation."""

from functools import partial

import pytest
import torch

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.resnet12 import ResNet12
from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.heads import LearnedHead, PrototypeHead, ZeroHead
from alfa_md.inner_loop.recomputation import recompute_all, recompute_alternate
from alfa_md.kernels.precision import bfloat16
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.normalization import batch_statistics
from alfa_md.pixels import normalise
from alfa_md.rules.attenuate import Attenuate
from tests.cuda import CUDA, assert_near, learner_to_gpu, needs_cuda, to_gpu
from tests.episodes import has_gradients, meta_gradients, meta_loss, random_episode, small_learner

pytestmark = needs_cuda
SMALL = partial(Conv4, num_filters=4)
LEARNERS = {
    "fo-MAML": {"head": ZeroHead},
    "fo-Proto-MAML": {"head": PrototypeHead},
    "MAML": {"head": partial(LearnedHead, 16, 3), "first_order": False},
    "attenuated": {"head": partial(LearnedHead, 16, 3), "first_order": False, "prepare": Attenuate},
    "4-CONV": {"backbone": SMALL, "size": 16, "first_order": False, "normalization": batch_statistics},
    "half recomputed": {
        "backbone": SMALL,
        "size": 16,
        "first_order": False,
        "recompute": recompute_alternate,
    },
    "all recomputed": {"backbone": SMALL, "size": 16, "first_order": False, "recompute": recompute_all},
    "ResNet12": {"backbone": ResNet12, "size": 32, "first_order": False, "num_steps": 1},
    "ResNet-18": {"backbone": ResNet18, "size": 32, "num_steps": 1},
}


def build_learner(backbone=None, head=PrototypeHead, **options):
    torch.manual_seed(0)
    return small_learner(backbone=backbone and backbone(), head=head(), **options)


@pytest.mark.parametrize("options", LEARNERS.values(), ids=LEARNERS)
def test_scores_and_meta_gradients_equal_those_of_the_cpu(options):
    options = dict(options)
    task = random_episode(size=options.pop("size", 12))
    cpu, gpu = build_learner(**options), learner_to_gpu(build_learner(**options))
    torch.testing.assert_close(gpu(to_gpu(task)).cpu(), cpu(task), rtol=1e-9, atol=1e-9)
    assert_near(meta_gradients(gpu, to_gpu(task)), meta_gradients(cpu, task))


@pytest.fixture
def forbid_synchronization():
    """After a call of the fixture, CUDA raises at every synchronisation."""

    def strict() -> None:
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")

    yield strict
    torch.cuda.set_sync_debug_mode("default")


def test_synchronization_is_detected(forbid_synchronization):
    forbid_synchronization()
    with pytest.raises(RuntimeError, match="synchronizing"):
        torch.ones(1, device=CUDA).item()


@pytest.mark.parametrize("precision", [None, bfloat16])
@pytest.mark.parametrize("options", LEARNERS.values(), ids=LEARNERS)
def test_an_episode_does_not_synchronize(options, precision, forbid_synchronization):
    options = dict(options) | ({"precision": precision} if precision else {})
    task = to_gpu(random_episode(size=options.pop("size", 12), dtype=torch.float32))
    learner = learner_to_gpu(build_learner(**options).float())
    learner(task)  # segment lengths are copied once, synchronously
    forbid_synchronization()
    meta_loss(learner, task).backward()
    with torch.no_grad():
        scores = learner.eval()(task)
    assert scores.shape == (len(task.query_y), task.way) and has_gradients(learner)


def test_stacked_episodes_do_not_synchronize(forbid_synchronization):
    learner = learner_to_gpu(build_learner(batching=vmapped, first_order=False))
    tasks = [to_gpu(random_episode(seed=k)) for k in (0, 1)]
    forbid_synchronization()
    torch.stack(learner.forward_episodes(tasks)).sum().backward()
    assert has_gradients(learner)


def test_uint8_images_are_normalised_as_on_the_cpu():
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(normalise(levels.to(CUDA)).cpu(), normalise(levels))
