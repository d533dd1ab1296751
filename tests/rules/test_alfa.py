"""ALFA's update against hand arithmetic, its sizes and its learning state."""

from functools import partial

import pytest
import torch

from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.heads import PrototypeHead
from alfa_md.learners.gradient import GradientLearner
from alfa_md.rules.alfa import alfa, learning_state, reference_init


def numbers(tensor):
    return torch.tensor(tensor, dtype=torch.float64)


def test_one_step_by_hand():
    """Two tensors, S = 2, everything written out."""
    theta = {"w": numbers([1.0, 3.0]), "b": numbers([-2.0])}
    grads = {"w": numbers([0.5, 1.5]), "b": numbers([4.0])}
    rule = alfa(theta, 2, inner_rate=0.1, inner_decay=0.2).double()
    generated, scales = rule.hypers.first, rule.hypers.second
    with torch.no_grad():
        first, last = generated.network[0], generated.network[2]
        first.weight.copy_(torch.eye(4))
        first.bias.copy_(numbers([0.0, 0.0, 0.0, 1.0]))
        last.weight.copy_(numbers([[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0]]))
        last.bias.copy_(numbers([0.0, 1.0, 0.0, 0.5]))
        scales.lr.copy_(numbers([[9.0, 9.0], [0.1, 0.3]]))
        scales.decay.copy_(numbers([[9.0, 9.0], [0.02, 0.4]]))
    # tau = [mean w, mean b, mean g_w, mean g_b] = [2, -2, 1, 4]; hidden = relu([2, -2, 1, 5]) = [2, 0, 1, 5]
    # outputs: a_w = 2, a_b = 1 + 1 = 2, d_w = 5, d_b = 0 + 0.5
    after = rule(theta, grads, 1)
    expected_w = [(1 - 5 * 0.02) * 1.0 - 2 * 0.1 * 0.5, (1 - 5 * 0.02) * 3.0 - 2 * 0.1 * 1.5]
    expected_b = [(1 - 0.5 * 0.4) * -2.0 - 2 * 0.3 * 4.0]
    torch.testing.assert_close(after["w"], numbers(expected_w), rtol=1e-14, atol=0)
    torch.testing.assert_close(after["b"], numbers(expected_b), rtol=1e-14, atol=0)


def test_learning_state_is_weights_then_gradients_and_detaches_the_gradients():
    params = {"w": numbers([1.0, 3.0]).requires_grad_(), "b": numbers([5.0]).requires_grad_()}
    grads = {"w": numbers([10.0, 20.0]).requires_grad_(), "b": numbers([7.0]).requires_grad_()}
    state = learning_state(params, grads)
    assert state.tolist() == [2.0, 5.0, 15.0, 7.0]
    state.sum().backward()
    assert params["w"].grad is not None and grads["w"].grad is None


@pytest.mark.parametrize(
    "backbone, adapts, tensors, generator",
    [
        (ResNet18, True, 65, 34_060),
        (ResNet18, False, 23, 4_324),
        (FourLayerConvNet, True, 14, 1_624),
        (FourLayerConvNet, False, 6, 312),
    ],
)
def test_sizes_on_the_networks_of_meta_dataset(backbone, adapts, tensors, generator):
    rule = partial(alfa, inner_rate=0.01)
    learner = GradientLearner(backbone(), PrototypeHead(), rule, num_steps=6, adapt_batch_norm=adapts)
    scales, network = learner.rule.hypers.second, learner.rule.hypers.first
    assert scales.lr.shape == scales.decay.shape == (6, tensors)
    assert sum(p.numel() for p in network.parameters()) == generator


def test_reference_initialisation_is_torch_s_own():
    """Weights and biases uniform in +-1/sqrt(2N); identity initialisation would give constants."""
    rule = alfa(dict.fromkeys("abcde"), 1, inner_rate=1.0, initialize=reference_init)
    last = rule.hypers.first.network[2]
    assert last.weight.abs().max() <= 10**-0.5 and last.weight.std() > 0.1 and last.bias.std() > 0
