"""Recomputed inner steps: the meta-gradients of kept steps in float64, with less memory."""

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


def gradients(recompute, size=12, first_order=False, **options):
    learner = small_learner(recompute=recompute, num_steps=3, first_order=first_order, **options)
    torch.manual_seed(1)  # for dropout
    grads = meta_gradients(learner, random_episode(size=size))
    return grads | {name: pending for name, pending in learner.named_buffers() if name.endswith("pending")}


@pytest.mark.parametrize("recompute", [recompute_alternate, recompute_all])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_meta_gradients_equal_those_of_kept_steps(case, recompute):
    kept, recomputed = gradients(keep_all, **case), gradients(recompute, **case)
    assert kept.keys() == recomputed.keys()
    for name, value in kept.items():
        torch.testing.assert_close(recomputed[name], value, rtol=1e-12, atol=1e-12, msg=name)


def test_first_order_does_not_recompute():
    kept, recomputed = (gradients(recompute, first_order=True) for recompute in (keep_all, recompute_all))
    assert all(torch.equal(recomputed[name], value) for name, value in kept.items())


def test_stacked_episodes():
    episodes = [random_episode(seed=seed) for seed in range(2)]
    found = []
    for recompute in (keep_all, recompute_all):
        learner = small_learner(REFERENCE, first_order=False, recompute=recompute, batching=vmapped)
        sum(scores.square().sum() for scores in learner.forward_episodes(episodes)).backward()
        found.append({name: parameter.grad for name, parameter in learner.named_parameters()})
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value, rtol=1e-12, atol=1e-12, msg=name)


class SavedTensor:
    """A tensor saved for the backward pass, freed with its graph."""

    def __init__(self, tensor):
        self.tensor = tensor


def saved_bytes(recompute) -> int:
    """The bytes of the tensors saved by the graph of five inner steps."""
    learner, held = small_learner(recompute=recompute, num_steps=5, first_order=False), weakref.WeakSet()

    def hold(tensor):
        holder = SavedTensor(tensor)
        held.add(holder)
        return holder

    episode = random_episode(size=40)
    with torch.autograd.graph.saved_tensors_hooks(hold, lambda holder: holder.tensor):
        kept = learner.adapted(episode)
    assert len(kept) > 1
    return sum({each.tensor.data_ptr(): each.tensor.nbytes for each in held}.values())


def test_saved_memory_shrinks_with_recomputation():
    kept_all, half, kept_none = map(saved_bytes, (keep_all, recompute_alternate, recompute_all))
    assert 0.4 * kept_all < half < 0.6 * kept_all
    assert kept_none < 0.2 * kept_all
