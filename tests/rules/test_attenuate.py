"""L2F: attenuation of the initial weights before the inner loop."""

from functools import partial

import pytest
import torch

from alfa_md.heads import LearnedHead
from alfa_md.rules.alfa import alfa
from alfa_md.rules.attenuate import Attenuate
from alfa_md.rules.sgd import sgd
from tests.episodes import meta_gradients, random_episode, small_learner
from tests.rules.one_step import one_step


def numbers(tensor):
    return torch.tensor(tensor, dtype=torch.float64)


def attenuated(rule=None, **options):
    return small_learner(rule or partial(sgd, inner_rate=0.1), LearnedHead(16, 3), **options, prepare=Attenuate)


def test_every_tensor_is_scaled_by_its_gamma():
    params = {"w": numbers([1.0, 3.0]), "b": numbers([-2.0])}
    rule = Attenuate(params).double()
    with torch.no_grad():
        rule.network[0].weight.copy_(torch.eye(2))
        rule.network[0].bias.zero_()
        rule.network[2].weight.copy_(numbers([[0.0, 1.0], [1.0, 0.0]]))
        rule.network[2].bias.copy_(numbers([0.5, 0.0]))
    grads = {"w": numbers([1.0, 2.0]), "b": numbers([-4.0])}  # e = [1.5, -4], hidden = [1.5, 0]
    after = one_step(rule, params, grads, 0)
    torch.testing.assert_close(after["w"], torch.sigmoid(numbers(0.5)) * params["w"])
    torch.testing.assert_close(after["b"], torch.sigmoid(numbers(1.5)) * params["b"])


def test_parameter_count():
    """2 (N^2 + N) for the ten tensors of a four-layer network with biases and a head."""
    assert sum(p.numel() for p in Attenuate(dict.fromkeys(range(10))).parameters()) == 220


def test_attenuation_is_applied_once_before_the_inner_loop():
    episode, learner = random_episode(), attenuated()
    start = learner.initial(episode)
    own = learner.adapted_backbone()
    ratio = start["backbone.0.weight"] / own["backbone.0.weight"]
    assert ratio.std() < 1e-12 and 0 < ratio.mean() < 1
    assert not torch.equal(learner.adapted(episode)["backbone.0.weight"], start["backbone.0.weight"])


@pytest.mark.parametrize("rule", [None, partial(alfa, inner_rate=0.1)], ids=["MAML + L2F", "ALFA + MAML + L2F"])
@pytest.mark.parametrize("first_order", [True, False])
def test_meta_gradients_reach_the_attenuator_and_equal_finite_differences(rule, first_order):
    """In both orders the attenuator's gradients are exact without inner steps; with steps they are not zero."""
    learner, episode = attenuated(rule, first_order=first_order), random_episode()
    learner.num_steps = 0
    grads = meta_gradients(learner, episode)
    for name in ("prepare.network.0.weight", "prepare.network.2.bias"):
        parameter, index = dict(learner.named_parameters())[name], (0,) * dict(learner.named_parameters())[name].dim()
        with torch.no_grad():
            losses = []
            for sign in (1, -1):
                parameter[index] += sign * 1e-6
                losses.append(learner.objective.loss(learner(episode), episode.query_y).item())
                parameter[index] -= sign * 1e-6
        assert grads[name][index].item() == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-5, abs=1e-9)
    deeper = meta_gradients(attenuated(rule, first_order=first_order), episode)
    assert deeper["prepare.network.0.weight"].abs().sum() > 0


def test_differentiable_lets_meta_gradients_through_the_layer_means():
    episode = random_episode()
    grads = [
        meta_gradients(attenuated_with(differentiable), episode)["backbone.0.weight"]
        for differentiable in (True, False)
    ]
    assert (grads[0] - grads[1]).norm() > 1e-6 * grads[0].norm()


def attenuated_with(differentiable):
    prepare = partial(Attenuate, differentiable=differentiable)
    return small_learner(partial(sgd, inner_rate=0.1), LearnedHead(16, 3), first_order=False, prepare=prepare)
