"""Inner steps taken again against steps that are kept: meta-gradients in float64, and how much is kept."""

import weakref
from functools import partial

import pytest
import torch
from torch import nn

from alfa_md.heads import LearnedHead
from alfa_md.inner_loop.recomputation import keep_all, recompute_all, recompute_alternate
from alfa_md.learners.adapts import all_but_batch_norm
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.rules.alfa import alfa
from alfa_md.rules.attenuate import Attenuate
from alfa_md.rules.generator import Generator, reference_init
from alfa_md.rules.normalized_state import NormalizedState
from alfa_md.rules.separate import adaptive_per_layer, separate, unlearned
from tests.episodes import meta_gradients, random_episode, small_convnet, small_learner, smooth_net

REFERENCE = partial(alfa, inner_rate=0.1, inner_decay=0.01, generator=partial(Generator, initialize=reference_init))
NORMALIZED = partial(alfa, inner_rate=0.1, generator=partial(Generator, state=NormalizedState))
FROM_FIRST_STEP = partial(separate, lr=adaptive_per_layer, decay=unlearned, inner_rate=0.1)
CASES = {
    "ALFA, prototypes": {"rule": REFERENCE},
    "ALFA + L2F": {"rule": REFERENCE, "prepare": Attenuate},
    "learned head, batch normalisation frozen": {"head": LearnedHead(16, 3), "adapts": all_but_batch_norm},
    "dropout": {"backbone": nn.Sequential(smooth_net(), nn.Dropout(0.5))},
    "pool first": {"backbone": small_convnet(), "size": 16},
    "normalised state": {"rule": NORMALIZED},
    "hyperparameters from the first step": {"rule": FROM_FIRST_STEP},
}


def gradients(memory, size=12, first_order=False, **options):
    learner = small_learner(recompute=memory, num_steps=3, first_order=first_order, **options)
    torch.manual_seed(1)  # of dropout
    grads = meta_gradients(learner, random_episode(size=size))
    return grads | {name: pending for name, pending in learner.named_buffers() if name.endswith("pending")}


@pytest.mark.parametrize("memory", [recompute_alternate, recompute_all])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_meta_gradients_are_those_of_steps_that_are_kept(case, memory):
    kept, again = gradients(keep_all, **case), gradients(memory, **case)
    assert kept.keys() == again.keys()
    for name, value in kept.items():
        torch.testing.assert_close(again[name], value, rtol=1e-12, atol=1e-12, msg=name)


def test_first_order_keeps_its_steps():
    kept, again = (gradients(memory, first_order=True) for memory in (keep_all, recompute_all))
    assert all(torch.equal(again[name], value) for name, value in kept.items())


def test_episodes_that_are_stacked():
    episodes = [random_episode(seed=seed) for seed in range(2)]
    found = []
    for memory in (keep_all, recompute_all):
        learner = small_learner(REFERENCE, first_order=False, recompute=memory, batching=vmapped)
        sum(scores.square().sum() for scores in learner.forward_episodes(episodes)).backward()
        found.append({name: parameter.grad for name, parameter in learner.named_parameters()})
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value, rtol=1e-12, atol=1e-12, msg=name)


class Held:
    """A tensor that a graph keeps for its backward pass; it goes with the graph."""

    def __init__(self, tensor):
        self.tensor = tensor


def kept_bytes(memory) -> int:
    """Of the tensors that the graph of five inner steps holds when they have been taken."""
    learner, held = small_learner(recompute=memory, num_steps=5, first_order=False), weakref.WeakSet()

    def hold(tensor):
        holder = Held(tensor)
        held.add(holder)
        return holder

    episode = random_episode(size=40)
    with torch.autograd.graph.saved_tensors_hooks(hold, lambda holder: holder.tensor):
        kept = learner.adapted(episode)
    assert len(kept) > 1
    return sum({each.tensor.data_ptr(): each.tensor.nbytes for each in held}.values())


def test_what_is_kept():
    fully, half, hardly = map(kept_bytes, (keep_all, recompute_alternate, recompute_all))
    assert 0.4 * fully < half < 0.6 * fully
    assert hardly < 0.2 * fully
