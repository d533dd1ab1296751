"""FlatParams: mapping, conditions, and the meta-gradients of every rule against a dictionary, in float64."""

from functools import partial

import pytest
import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from alfa_md.backbones.mlp import RegressionMLP
from alfa_md.flat_params import MAX_ENTRIES, FlatParams, flattened
from alfa_md.heads import LearnedHead, uniform
from alfa_md.inner_loop.recomputation import keep_all, recompute_all
from alfa_md.kernels.dispatch import plain_operations
from alfa_md.learners.gradient import GradientLearner
from alfa_md.objectives import REGRESSION
from alfa_md.params import layer_means
from tests.episodes import meta_gradients
from tests.learners.batching.test_vmapped import curves
from tests.rules.test_contract import PER_PARAMETER, RULES

PARAMS = {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor([5.0]), "c": torch.tensor([[-1.0, 3.0]])}


@pytest.mark.fast_path
def test_flat_params_is_a_mapping_of_views():
    flat = flattened(PARAMS)
    assert isinstance(flat, FlatParams) and list(flat) == list(PARAMS) and len(flat) == 3
    assert all(torch.equal(flat[name], tensor) for name, tensor in PARAMS.items())
    flat.flat.mul_(2)
    assert torch.equal(flat["a"], 2 * PARAMS["a"])
    leaves, spec = tree_flatten((flat, ()))
    assert len(leaves) == 1 and torch.equal(tree_unflatten(leaves, spec)[0]["c"], flat["c"])


@pytest.mark.fast_path
def test_layout_means_and_repeat():
    flat = flattened(PARAMS)
    torch.testing.assert_close(layer_means(flat), torch.tensor([2.5, 5.0, 1.0]))
    assert flat.layout.repeat(torch.tensor([1.0, 2.0, 3.0])).tolist() == [1] * 6 + [2] + [3] * 2


@pytest.mark.parametrize(
    "params",
    [
        {"kernel": torch.zeros(2, 2, 3, 3)},
        {"large": torch.zeros(MAX_ENTRIES + 1)},
        {"one": torch.zeros(2), "other": torch.zeros(2, dtype=torch.float64)},
    ],
)
def test_weights_that_are_not_flattened(params):
    assert flattened(params) is params
    with plain_operations():
        assert flattened(PARAMS) is PARAMS


def gradients(rule, **options):
    torch.manual_seed(0)
    parts = (RegressionMLP((8, 8)), LearnedHead(8, 1, uniform), rule)
    learner = GradientLearner(*parts, num_steps=3, objective=REGRESSION, **options).double()
    with torch.no_grad():
        for parameter in learner.rule.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    return meta_gradients(learner, curves(1)[0])


@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("recompute", [keep_all, recompute_all])
@pytest.mark.parametrize("rule", (RULES | PER_PARAMETER).values(), ids=RULES | PER_PARAMETER)
def test_meta_gradients_of_every_rule(rule, first_order, recompute):
    rule = partial(rule)
    flat = gradients(rule, first_order=first_order, recompute=recompute)
    with plain_operations():
        plain = gradients(rule, first_order=first_order)
    assert flat.keys() == plain.keys()
    largest = max(value.abs().max().item() for value in plain.values())
    for name, value in plain.items():
        torch.testing.assert_close(flat[name], value, rtol=1e-9, atol=1e-12 * largest, msg=name)
