"""CUDA graphs against one episode at a time, in float64; no capture on other devices."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import torch

from alfa_md.backbones.conv4 import Conv4
from alfa_md.heads import LearnedHead
from alfa_md.inner_loop.recomputation import recompute_all
from alfa_md.learners.batching import captured as module
from alfa_md.learners.batching.captured import captured
from alfa_md.learners.batching.cuda_graph import CapturedFunction
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.normalization import batch_statistics
from alfa_md.rules.alfa import alfa
from alfa_md.rules.generator import Generator
from alfa_md.rules.normalized_state import NormalizedState
from tests.cuda import CUDA, assert_near, learner_to_gpu, needs_cuda, to_gpu
from tests.episodes import random_episode, small_learner

STACK = partial(captured, batching=vmapped)
NORMALIZED = partial(alfa, inner_rate=0.1, generator=partial(Generator, state=NormalizedState))
CONV4 = {"head": lambda: LearnedHead(4, 3), "normalization": batch_statistics}
LEARNERS = {
    "fo-Proto-MAML": {"first_order": True},
    "Proto-MAML": {"first_order": False},
    "4-CONV, first order": {"backbone": partial(Conv4, num_filters=4), "first_order": True, **CONV4},
    "4-CONV, second order": {"backbone": partial(Conv4, num_filters=4), "first_order": False, **CONV4},
    "4-CONV, recomputed steps": {
        "backbone": partial(Conv4, num_filters=4),
        "first_order": False,
        "recompute": recompute_all,
        **CONV4,
    },
}


def build_learner(batching=None, backbone=None, head=None, **options):
    torch.manual_seed(0)
    own = {"backbone": backbone and backbone(), "head": head and head()}
    return small_learner(batching=batching, additional_evaluation_steps=1, **own, **options)


def episodes(first, number=2):
    return [random_episode(size=16, seed=seed) for seed in range(first, first + number)]


def scores_and_gradients(learner, tasks):
    """(scores, outer gradients) by name, after one backward pass over these tasks."""
    learner.zero_grad()
    scores = learner.forward_episodes(tasks)
    torch.stack([learner.objective.loss(s, e.query_y) for s, e in zip(scores, tasks, strict=True)]).sum().backward()
    grads = {name: p.grad.clone() for name, p in learner.named_parameters() if p.grad is not None}
    return {str(place): score.detach() for place, score in enumerate(scores)}, grads


def change_parameters(learner):
    """Changes all parameters in place."""
    with torch.no_grad():
        for parameter in learner.parameters():
            further = 0.01 * torch.arange(parameter.numel()).double().sin()
            parameter.add_(further.view_as(parameter).to(parameter.device))


@pytest.mark.parametrize("batching", [captured, STACK], ids=["parallel streams", "stacked"])
def test_on_the_cpu_nothing_is_captured(batching):
    learner, plain = build_learner(batching), build_learner()
    for own, expected in zip(learner.forward_episodes(episodes(0)), plain.forward_episodes(episodes(0)), strict=True):
        torch.testing.assert_close(own, expected, rtol=1e-12, atol=1e-12)
    assert not module._graphs[learner]


@needs_cuda
@pytest.mark.parametrize("batching", [captured, STACK], ids=["parallel streams", "stacked"])
@pytest.mark.parametrize("options", LEARNERS.values(), ids=LEARNERS)
def test_graphs_give_scores_and_meta_gradients(options, batching):
    """With other episodes and weights than those captured, and with graphs of two shapes in turn."""
    learner, plain = learner_to_gpu(build_learner(batching, **options)), build_learner(**options)
    for first in (0, 2, 4):
        for number in (2, 1):
            tasks = episodes(first, number)
            own, expected = scores_and_gradients(learner, list(map(to_gpu, tasks))), scores_and_gradients(plain, tasks)
            assert_near(own[0], expected[0])
            assert_near(own[1], expected[1])
        change_parameters(learner)
        change_parameters(plain)
    assert len(module._graphs[learner]) == 2


@needs_cuda
@pytest.mark.parametrize("options", LEARNERS.values(), ids=LEARNERS)
def test_evaluation_is_captured_too(options):
    learner, plain = learner_to_gpu(build_learner(captured, **options)).eval(), build_learner(**options).eval()
    with torch.no_grad():
        for first in (0, 1, 2):
            tasks = episodes(first)
            results = learner.forward_episodes(list(map(to_gpu, tasks))), plain.forward_episodes(tasks)
            assert_near(*({str(place): score for place, score in enumerate(scores)} for scores in results))
    assert len(module._graphs[learner]) == 1


@needs_cuda
def test_accumulators_are_not_captured_in_training():
    learner = learner_to_gpu(build_learner(captured, rule=NORMALIZED))
    scores_and_gradients(learner, list(map(to_gpu, episodes(0))))
    assert not module._graphs[learner] and learner.accumulators()[0].pending.any()


@needs_cuda
def test_shapes_beyond_the_limit_are_not_captured(monkeypatch):
    monkeypatch.setattr(module, "MAX_GRAPHS", 1)
    learner, plain = learner_to_gpu(build_learner(captured)), build_learner()
    for size in (16, 12):
        tasks = [random_episode(size=size)]
        assert_near(scores_and_gradients(learner, list(map(to_gpu, tasks)))[1], scores_and_gradients(plain, tasks)[1])
    assert len(module._graphs[learner]) == 1


@needs_cuda
def test_backward_of_an_overwritten_replay_is_an_error():
    weight = torch.ones(3, device=CUDA, requires_grad=True)
    capture = CapturedFunction(lambda x: (weight * x).square().sum(), [torch.ones(3, device=CUDA)], [weight])
    first = capture(torch.full((3,), 2.0, device=CUDA))
    second = capture(torch.full((3,), 3.0, device=CUDA))
    assert (first.item(), second.item()) == (12.0, 27.0)
    second.backward()
    assert weight.grad.tolist() == [18.0] * 3
    with pytest.raises(RuntimeError, match="has run again"):
        first.backward()


@needs_cuda
def test_other_threads_may_pin_memory_during_capture():
    stop, learner, plain = [], learner_to_gpu(build_learner(captured)), build_learner()

    def pin() -> int:
        number = 0
        while not stop:
            number += torch.zeros(1000 + number).pin_memory().is_pinned()
        return number

    with ThreadPoolExecutor(1) as pool:
        pinned = pool.submit(pin)
        own = scores_and_gradients(learner, list(map(to_gpu, episodes(0))))
        stop.append(True)
        assert pinned.result() > 0
    assert_near(own[1], scores_and_gradients(plain, episodes(0))[1])
