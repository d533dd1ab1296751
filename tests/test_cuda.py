"""Learners on a GPU: the numbers of the CPU in float64, no waiting, and a whole run."""

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
from tests.cuda import CUDA, assert_near, needs_cuda, on_gpu, there
from tests.episodes import has_gradients, meta_gradients, meta_loss, random_episode, small_learner

pytestmark = needs_cuda
SMALL = partial(Conv4, num_filters=4)
LEARNERS = {
    "fo-MAML": {"head": ZeroHead},
    "fo-Proto-MAML": {"head": PrototypeHead},
    "MAML": {"head": partial(LearnedHead, 16, 3), "first_order": False},
    "attenuated": {"head": partial(LearnedHead, 16, 3), "first_order": False, "prepare": Attenuate},
    "4-CONV": {"backbone": SMALL, "size": 16, "first_order": False, "normalization": batch_statistics},
    "half of the steps again": {"backbone": SMALL, "size": 16, "first_order": False, "recompute": recompute_alternate},
    "every step again": {"backbone": SMALL, "size": 16, "first_order": False, "recompute": recompute_all},
    "ResNet12": {"backbone": ResNet12, "size": 32, "first_order": False, "num_steps": 1},
    "ResNet-18": {"backbone": ResNet18, "size": 32, "num_steps": 1},
}


def made(backbone=None, head=PrototypeHead, **options):
    torch.manual_seed(0)
    return small_learner(backbone=backbone and backbone(), head=head(), **options)


@pytest.mark.parametrize("options", LEARNERS.values(), ids=LEARNERS)
def test_scores_and_meta_gradients_are_those_of_the_cpu(options):
    options = dict(options)
    task = random_episode(size=options.pop("size", 12))
    on_cpu, there_too = made(**options), on_gpu(made(**options))
    torch.testing.assert_close(there_too(there(task)).cpu(), on_cpu(task), rtol=1e-9, atol=1e-9)
    assert_near(meta_gradients(there_too, there(task)), meta_gradients(on_cpu, task))


@pytest.fixture
def no_waiting():
    """Inside, CUDA itself raises where the host waits."""

    def strict() -> None:
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")

    yield strict
    torch.cuda.set_sync_debug_mode("default")


def test_what_waits_is_seen(no_waiting):
    no_waiting()
    with pytest.raises(RuntimeError, match="synchronizing"):
        torch.ones(1, device=CUDA).item()


@pytest.mark.parametrize("precision", [None, bfloat16])
@pytest.mark.parametrize("options", LEARNERS.values(), ids=LEARNERS)
def test_an_episode_waits_for_nothing(options, precision, no_waiting):
    options = dict(options) | ({"precision": precision} if precision else {})
    task = there(random_episode(size=options.pop("size", 12), dtype=torch.float32))
    learner = on_gpu(made(**options).float())
    learner(task)  # the sizes of its tensors are copied once
    no_waiting()
    meta_loss(learner, task).backward()
    with torch.no_grad():
        scores = learner.eval()(task)
    assert scores.shape == (len(task.query_y), task.way) and has_gradients(learner)


def test_nor_do_several_stacked_ones(no_waiting):
    learner, tasks = on_gpu(made(batching=vmapped, first_order=False)), [there(random_episode(seed=k)) for k in (0, 1)]
    no_waiting()
    torch.stack(learner.forward_episodes(tasks)).sum().backward()
    assert has_gradients(learner)


def test_grey_levels_become_the_same_floats():
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(normalise(levels.to(CUDA)).cpu(), normalise(levels))
