"""Episodes without device synchronisation, detected by operators on any device."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.conv_block import PoolFirst
from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.heads import LearnedHead, PrototypeHead, ZeroHead
from alfa_md.kernels.precision import bfloat16
from alfa_md.learners.adapts import all_but_batch_norm
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.normalization import batch_statistics, support_moments
from alfa_md.rules.alfa import alfa
from alfa_md.rules.attenuate import Attenuate
from alfa_md.rules.generator import Generator
from alfa_md.rules.lslr import lslr
from alfa_md.rules.meta_sgd import meta_sgd
from alfa_md.rules.normalized_state import NormalizedState
from alfa_md.rules.sgd import sgd
from tests.episodes import has_gradients, meta_loss, random_episode, small_learner, smooth_net

# Operators whose result, or its size, is read by the host, which waits for the GPU.
READS = {"_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero", "nonzero_numpy", "argwhere"}
READS |= {"masked_select", "unique_dim", "_unique", "_unique2", "unique_consecutive", "bincount", "allclose"}
INDEXES = {"index", "index_put", "index_put_", "_index_put_impl_"}  # synchronise if an index is a mask
COPIES = {"_to_copy", "copy_"}  # synchronise between device and host unless non_blocking


class Synchronized(AssertionError):
    """An operator that synchronises host and device."""


class NoSynchronization(TorchDispatchMode):
    """Inside, an operator that synchronises host and device raises Synchronized."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, func._schema.name.removeprefix("aten::")
        if (
            name in READS
            or (name in INDEXES and has_mask(args[1]))
            or (name in COPIES and is_blocking_copy(args, kwargs))
        ):
            raise Synchronized(f"{func}")
        return func(*args, **kwargs)


def has_mask(indices) -> bool:
    return any(isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8) for index in indices)


def is_blocking_copy(args, kwargs) -> bool:
    """True for a synchronous copy between devices."""
    places = {leaf.device.type for leaf in tree_leaves(args) if isinstance(leaf, Tensor)}
    places |= {torch.device(kwargs["device"]).type} if kwargs.get("device") else set()
    return len(places) > 1 and not (kwargs.get("non_blocking") or args[-1] is True)


TENSOR = torch.tensor([1.0, 0.0])
SYNCHRONIZING = {
    "item": lambda: TENSOR[0].item(),
    "a condition": lambda: bool(TENSOR[0]),
    "a loop bound": lambda: range(TENSOR[0].long()),
    "nonzero": lambda: TENSOR.nonzero(),
    "a mask": lambda: TENSOR[TENSOR > 0],
    "writing by a mask": lambda: TENSOR.clone().__setitem__(TENSOR > 0, torch.zeros(1)),
    "masked_select": lambda: TENSOR.masked_select(TENSOR > 0),
    "unique": lambda: TENSOR.unique(),
    "equal": lambda: torch.equal(TENSOR, TENSOR + 1),
    "a copy": lambda: TENSOR.to("meta"),
    "one of a constant": lambda: torch.empty(2, device="meta").copy_(TENSOR),
}


@pytest.mark.parametrize("operation", SYNCHRONIZING.values(), ids=SYNCHRONIZING)
def test_synchronization_is_detected(operation):
    with pytest.raises(Synchronized), NoSynchronization():
        operation()


def test_asynchronous_operators_are_allowed():
    with NoSynchronization():
        assert TENSOR.to(torch.float64).dtype == torch.float64
        assert TENSOR.to("meta", non_blocking=True).is_meta
        assert TENSOR[torch.tensor([1, 0])].shape == (2,)


SGD = partial(sgd, inner_rate=0.1)
ALFA = partial(alfa, inner_rate=0.1, inner_decay=0.01)
HEADS = {"zero": ZeroHead, "learned": lambda: LearnedHead(16, 5), "prototypes": PrototypeHead}
RULES = {
    "sgd": {"rule": SGD},
    "alfa": {"rule": ALFA},
    "alfa, attenuated": {"rule": ALFA, "prepare": Attenuate},
}
OTHERS = {
    "lslr": {"rule": partial(lslr, inner_rate=0.1)},
    "meta-sgd": {"rule": partial(meta_sgd, inner_rate=0.1), "head": LearnedHead(16, 3)},
    "normalised state": {"rule": partial(ALFA, generator=partial(Generator, state=NormalizedState))},
    "batch statistics": {"normalization": batch_statistics, "adapts": all_but_batch_norm},
    "query in portions": {"normalization": partial(support_moments, query_portion=4)},
    "bfloat16": {"precision": bfloat16},
    "4-CONV": {"backbone": partial(Conv4, num_filters=4), "size": 16},
    "4-CONV, pooled first": {"backbone": partial(Conv4, num_filters=4, block=PoolFirst), "size": 16},
    "ResNet-18": {"backbone": ResNet18, "size": 32, "num_steps": 1, "first_order": True},
}


def trains_and_evaluates(learner, episode) -> bool:
    """True if there are an outer gradient and scores of every class; raises Synchronized if they synchronise."""
    with NoSynchronization():
        meta_loss(learner.train(), episode).backward()
        with torch.no_grad():
            scores = learner.eval()(episode)
    return scores.shape == (len(episode.query_y), episode.way) and has_gradients(learner)


@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_an_episode_does_not_synchronize(head, rule, first_order):
    assert trains_and_evaluates(small_learner(head=head(), first_order=first_order, **rule), random_episode())


@pytest.mark.parametrize("options", OTHERS.values(), ids=OTHERS)
def test_an_episode_under_other_options_does_not_synchronize(options):
    options = {"backbone": smooth_net, "size": 12, "first_order": False} | options
    size, backbone = options.pop("size"), options.pop("backbone")()
    learner = small_learner(backbone=backbone, additional_evaluation_steps=1, **options)
    assert trains_and_evaluates(learner.float(), random_episode(size=size, dtype=torch.float32))


def test_stacked_episodes_do_not_synchronize():
    learner, episodes = small_learner(batching=vmapped, first_order=False), [random_episode(seed=n) for n in range(2)]
    with NoSynchronization():
        torch.stack(learner.forward_episodes(episodes)).sum().backward()
    assert has_gradients(learner)


class ReadsValues(nn.Module):
    """A backbone that reads its values on the host."""

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1) / (2.0 if images.mean() > 0 else 1.0)


def test_a_backbone_that_reads_its_values_is_detected():
    with pytest.raises(Synchronized, match="_local_scalar_dense"):
        trains_and_evaluates(small_learner(SGD, backbone=nn.Sequential(smooth_net(), ReadsValues())), random_episode())


def test_no_constant_is_copied_to_the_device():
    """On the meta device, which has no values: constants of the host would have to be copied there."""
    learner = small_learner(first_order=False).to("meta")
    assert trains_and_evaluates(learner, random_episode().map(lambda tensor: tensor.to("meta")))
