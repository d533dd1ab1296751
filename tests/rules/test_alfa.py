"""ALFA: updates computed by hand, parameter counts, and the learning state."""

from functools import partial

import pytest
import torch
from torch import nn

from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.errors import UserError
from alfa_md.heads import PrototypeHead
from alfa_md.learners.adapts import all_but_batch_norm, everything
from alfa_md.learners.gradient import GradientLearner
from alfa_md.rules.alfa import BetaProduct, alfa, alfa_random
from alfa_md.rules.generator import Generator, PaperGenerator, reference_init
from alfa_md.rules.learning_state import LearningState
from tests.rules.one_step import one_step


def float64(tensor):
    return torch.tensor(tensor, dtype=torch.float64)


def test_one_step_by_hand():
    """Two tensors, S = 2, fully computed by hand."""
    theta = {"w": float64([1.0, 3.0]), "b": float64([-2.0])}
    grads = {"w": float64([0.5, 1.5]), "b": float64([4.0])}
    rule = alfa(theta, 2, inner_rate=0.1, inner_decay=0.2).double()
    generated, scales = rule.hypers.first, rule.hypers.second
    with torch.no_grad():
        first, last = generated.generator.network[0], generated.generator.network[2]
        first.weight.copy_(torch.eye(4))
        first.bias.copy_(float64([0.0, 0.0, 0.0, 1.0]))
        last.weight.copy_(float64([[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0]]))
        last.bias.copy_(float64([0.0, 1.0, 0.0, 0.5]))
        scales.lr.values.copy_(float64([[9.0, 9.0], [0.1, 0.3]]))
        scales.decay.values.copy_(float64([[9.0, 9.0], [0.02, 0.4]]))
    # tau = [mean w, mean b, mean g_w, mean g_b] = [2, -2, 1, 4]; hidden = relu([2, -2, 1, 5]) = [2, 0, 1, 5]
    # outputs: a_w = 2, a_b = 1 + 1 = 2, d_w = 5, d_b = 0 + 0.5
    after = one_step(rule, theta, grads, 1)
    expected_w = [(1 - 5 * 0.02) * 1.0 - 2 * 0.1 * 0.5, (1 - 5 * 0.02) * 3.0 - 2 * 0.1 * 1.5]
    expected_b = [(1 - 0.5 * 0.4) * -2.0 - 2 * 0.3 * 4.0]
    torch.testing.assert_close(after["w"], float64(expected_w), rtol=1e-14, atol=0)
    torch.testing.assert_close(after["b"], float64(expected_b), rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    "parts, detached, expected, reaches",
    [
        (("weights", "gradients"), ("gradients",), [2.0, 5.0, 15.0, 7.0], (True, False)),
        (("weights", "gradients"), (), [2.0, 5.0, 15.0, 7.0], (True, True)),
        (("weights", "gradients"), ("weights", "gradients"), [2.0, 5.0, 15.0, 7.0], (False, False)),
        (("weights",), (), [2.0, 5.0], (True, False)),
        (("gradients",), (), [15.0, 7.0], (False, True)),
    ],
)
def test_learning_state_has_the_documented_order_and_detaches(parts, detached, expected, reaches):
    params = {"w": float64([1.0, 3.0]).requires_grad_(), "b": float64([5.0]).requires_grad_()}
    grads = {"w": float64([10.0, 20.0]).requires_grad_(), "b": float64([7.0]).requires_grad_()}
    state = LearningState(params, parts, detached)
    tau = state(params, grads)
    assert tau.tolist() == expected and state.size == len(expected)
    if tau.requires_grad:
        tau.sum().backward()
    assert tau.requires_grad == any(reaches)
    assert (params["w"].grad is not None, grads["w"].grad is not None) == reaches


@pytest.mark.parametrize("options", [{"parts": ()}, {"parts": ("weight",)}, {"detached": ("all",)}])
def test_unknown_parts_of_the_state_are_refused(options):
    with pytest.raises(UserError, match="LearningState.parts = .* choose among"):
        LearningState({"w": None}, **options)


@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_the_depth_of_the_generator(num_layers):
    """N = 3, all layers of width 6: 6 * 6 + 6 parameters each."""
    network = Generator(dict.fromkeys("abc"), 6, num_layers=num_layers).network
    assert sum(p.numel() for p in network.parameters()) == num_layers * 42
    assert sum(isinstance(layer, nn.ReLU) for layer in network) == num_layers - 1


@pytest.mark.parametrize("steps, tensors", [(5, 10), (1, 2), (3, 7)])
def test_the_paper_s_generator_has_its_number_of_values(steps, tensors):
    rule = alfa(dict.fromkeys(map(str, range(tensors))), steps, inner_rate=0.1, generator=PaperGenerator)
    assert sum(p.numel() for p in rule.parameters()) == 2 * steps * tensors + 12 * tensors**2
    assert sum(isinstance(layer, nn.Linear) for layer in rule.hypers.first.generator.network) == 3


def test_the_paper_s_generator_by_hand():
    """One tensor: tau = [2, 1]; hidden layers double and swap; the outputs are 1 + [4, 2] M."""
    generator = PaperGenerator({"w": None}, 2).double()
    with torch.no_grad():
        for layer, matrix in zip(
            generator.network[::2], ([[2, 0], [0, 2]], [[0, 1], [1, 0]], [[1, 0], [-1, 3]]), strict=True
        ):
            layer.weight.copy_(float64(matrix))
    assert generator({"w": float64([1.0, 3.0])}, {"w": float64([0.5, 1.5])}).tolist() == [1 + 2.0, 1 - 2.0 + 3 * 4.0]


def test_beta_product_form_of_the_paper():
    theta = {"w": float64([1.0, 3.0]), "b": float64([-2.0])}
    grads = {"w": float64([0.5, 1.5]), "b": float64([4.0])}
    rule = alfa(theta, 2, inner_rate=0.1, inner_decay=1.0, beta_form=BetaProduct).double()
    with torch.no_grad():
        rule.hypers.first.generator.network[-1].bias.copy_(float64([2.0, 3.0, 0.5, 0.25]))  # a_w, a_b, d_w, d_b
    rate = 0.1 * torch.ones(1).item()
    after = one_step(rule, theta, grads, 0)
    torch.testing.assert_close(after["w"], 0.5 * theta["w"] - 2 * rate * grads["w"], rtol=1e-7, atol=0)
    torch.testing.assert_close(after["b"], 0.25 * theta["b"] - 3 * rate * grads["b"], rtol=1e-7, atol=0)


def test_alfa_random_has_a_decay_per_parameter():
    theta = {"w": float64([1.0, 3.0]), "b": float64([-2.0])}
    grads = {"w": float64([0.0, 0.0]), "b": float64([4.0])}
    rule = alfa_random(theta, 2, inner_rate=0.5).double()
    prior = rule.hypers.second.decay.values
    assert [tuple(p.shape) for p in prior] == [(2,), (1,)] and all(
        (p == torch.tensor(5e-6).item()).all() for p in prior
    )
    with torch.no_grad():
        prior[0].copy_(float64([0.25, 0.5]))
        prior[1].zero_()
        rule.hypers.first.first.generator.network[-1].bias.copy_(float64([1.0, 3.0, 0.5, 9.0]))
    after = one_step(rule, theta, grads, 1)
    assert after["w"].tolist() == [1.0 - 0.25 * 0.5, 3.0 * (1 - 0.5 * 0.5)] and after["b"].tolist() == [
        -2.0 - 1.5 * 4.0
    ]


def test_alfa_random_needs_a_head_of_fixed_size():
    with pytest.raises(UserError, match="every entry of head.weight needs a head of fixed size; bind @LearnedHead"):
        alfa_random({"w": float64([1.0]), "head.weight": None}, 2, inner_rate=0.5)


@pytest.mark.parametrize(
    "backbone, adapts, tensors, generator",
    [
        (ResNet18, True, 65, 34_060),
        (ResNet18, False, 23, 4_324),
        (FourLayerConvNet, True, 14, 1_624),
        (FourLayerConvNet, False, 6, 312),
    ],
)
def test_parameter_counts_on_the_networks_of_meta_dataset(backbone, adapts, tensors, generator):
    rule = partial(alfa, inner_rate=0.01)
    adapts = everything if adapts else all_but_batch_norm
    learner = GradientLearner(backbone(), PrototypeHead(), rule, num_steps=6, adapts=adapts)
    scales, network = learner.rule.hypers.second, learner.rule.hypers.first
    assert scales.lr.values.shape == scales.decay.values.shape == (6, tensors)
    assert sum(p.numel() for p in network.parameters()) == generator


def test_reference_initialisation_is_pytorch_s_default():
    """Weights and biases are uniform in +-1/sqrt(2N), not constant as under identity initialisation."""
    rule = alfa(dict.fromkeys("abcde"), 1, inner_rate=1.0, generator=partial(Generator, initialize=reference_init))
    last = rule.hypers.first.generator.network[2]
    assert last.weight.abs().max() <= 10**-0.5 and last.weight.std() > 0.1 and last.bias.std() > 0
