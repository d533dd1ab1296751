"""The inner loop against torch.func, finite differences and closed forms; float64."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch.func import functional_call, grad

from alfa_md.errors import UserError
from alfa_md.heads import PrototypeHead, ZeroHead, linear, prototypes
from alfa_md.inner_loop.loop import adapt, unroll
from alfa_md.learners.gradient import BACKBONE
from alfa_md.normalization import embed_episode
from alfa_md.params import select_parameters
from alfa_md.rules.alfa import alfa
from alfa_md.rules.base import UpdateRule
from alfa_md.rules.generator import Generator, identity_init, reference_init
from alfa_md.rules.sgd import sgd
from tests.episodes import meta_gradients, meta_loss, random_episode, small_learner, smooth_net

RATE, STEPS = 0.05, 3


def reference_loss(net, theta, episode, first_order):
    """fo-/so-Proto-MAML written with torch.func: theta and head are separate arguments of the inner loss."""

    def embed(params, images):
        return functional_call(net, params, (images,))

    def support_loss(fast):
        features = embed(fast[0], episode.support_x)
        return F.cross_entropy(F.linear(features, fast[1], fast[2]), episode.support_y)

    c = prototypes(embed(theta, episode.support_x), episode.support_y, episode.way)
    fast = (theta, 2 * c, -(c * c).sum(1))
    for _ in range(STEPS):
        g_theta, g_w, g_b = grad(support_loss)(fast)
        if first_order:
            g_theta, g_w, g_b = {k: g.detach() for k, g in g_theta.items()}, g_w.detach(), g_b.detach()
        fast = ({k: v - RATE * g_theta[k] for k, v in fast[0].items()}, fast[1] - RATE * g_w, fast[2] - RATE * g_b)
    _, query = embed_episode(partial(embed, fast[0]), episode.support_x, episode.query_x)
    return F.cross_entropy(F.linear(query, fast[1], fast[2]), episode.query_y)


@pytest.mark.parametrize("first_order", [True, False])
def test_meta_gradients_equal_torch_func(first_order):
    episode, net = random_episode(), smooth_net()
    learner = small_learner(partial(sgd, inner_rate=RATE), backbone=net, num_steps=STEPS, first_order=first_order)
    theta = {name: p.detach().clone().requires_grad_() for name, p in learner.backbone.named_parameters()}
    loss = reference_loss(learner.backbone, theta, episode, first_order)
    expected = dict(zip(theta, torch.autograd.grad(loss, list(theta.values())), strict=True))
    torch.testing.assert_close(meta_loss(learner, episode), loss, rtol=1e-12, atol=1e-12)
    for name, value in meta_gradients(learner, episode).items():
        torch.testing.assert_close(value, expected[name.removeprefix(BACKBONE)], rtol=1e-10, atol=1e-12)


def test_inner_gradient_of_the_backbone_leaves_out_the_path_through_the_prototypes():
    """The total derivative has a further path, theta -> prototypes -> head."""
    episode = random_episode()
    learner = small_learner(first_order=False)
    params = learner.initial(episode)
    loss = learner.support_loss(episode)
    step = next(unroll(params, loss, learner.rule, 1, first_order=False))
    name = next(iter(params))
    total = torch.autograd.grad(loss(params), params[name])[0]
    assert (total - step.grads[name]).norm() > 0.01 * total.norm()
    separate = {key: value.detach().requires_grad_() for key, value in params.items()}
    partial_gradient = torch.autograd.grad(loss(separate), separate[name])[0]
    torch.testing.assert_close(step.grads[name], partial_gradient, rtol=1e-12, atol=1e-14)


def test_first_and_second_order_differ():
    episode = random_episode()
    first, second = (meta_gradients(small_learner(first_order=order), episode) for order in (True, False))
    name = "backbone.0.weight"
    assert (first[name] - second[name]).norm() > 0.01 * second[name].norm()


@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("head", [ZeroHead, PrototypeHead])
def test_meta_gradients_equal_finite_differences(first_order, head):
    """Second order: the gradient of the loss itself. First order: of the loss with support gradients held fixed."""
    episode = random_episode()
    # tau has detached gradients: in second order the meta-gradient deliberately lacks a term, except under identity
    # initialisation, where the generator's output does not depend on tau.
    initialize = reference_init if first_order else identity_init
    rule = partial(alfa, inner_rate=0.1, inner_decay=0.01, generator=partial(Generator, initialize=initialize))
    learner = small_learner(rule, head(), first_order=first_order)
    frozen = [s.grads for s in unroll(learner.initial(episode), learner.support_loss(episode), learner.rule, 2, True)]

    def loss_with_frozen_gradients():
        params = learner.initial(episode)
        state = learner.rule.init(params)
        for i, grads in enumerate(frozen):
            params, state = learner.rule.update(params, grads, state, i)
        scores = learner.classify(params, episode.support_x, episode.query_x)
        return learner.objective.loss(scores, episode.query_y)

    loss = loss_with_frozen_gradients if first_order else partial(meta_loss, learner, episode)
    grads = meta_gradients(learner, episode)
    chosen = ["backbone.0.weight", "rule.hypers.second.lr.values", "rule.hypers.second.decay.values"]
    chosen += [f"rule.hypers.first.generator.network.{name}" for name in ("0.weight", "2.weight", "2.bias")]
    for name in chosen:
        parameter = learner.get_parameter(name)
        direction = torch.randn_like(parameter)
        difference = central_difference(loss, parameter, direction)
        expected = (grads[name] * direction).sum()
        torch.testing.assert_close(expected, difference, rtol=1e-5, atol=1e-9)


def central_difference(loss, parameter, direction, epsilon=1e-5):
    """(loss(p + e d) - loss(p - e d)) / 2e, restoring the parameter."""
    values = []
    with torch.no_grad():
        original = parameter.clone()
        for sign in (1, -1):
            parameter.copy_(original + sign * epsilon * direction)
            values.append(loss().item())
        parameter.copy_(original)
    return torch.tensor((values[0] - values[1]) / (2 * epsilon), dtype=torch.float64)


def test_zero_steps_return_the_initial_tensors():
    params = select_parameters(smooth_net().double(), BACKBONE)
    assert adapt(params, lambda p: 1 / 0, sgd({}, 1, inner_rate=0.1), 0, True) is params


def test_evaluation_keeps_no_graph_and_gives_the_training_scores():
    episode, learner = random_episode(), small_learner()
    with torch.no_grad():
        quiet = learner(episode)
    assert not quiet.requires_grad
    torch.testing.assert_close(quiet, learner(episode).detach(), rtol=0, atol=0)


def test_unused_parameters_get_a_zero_gradient():
    params = {"used": torch.ones(2, requires_grad=True), "idle": torch.ones(3, requires_grad=True)}
    step = next(unroll(params, lambda p: p["used"].sum(), sgd(params, 1, inner_rate=1.0), 1, True))
    assert step.grads["idle"].tolist() == [0, 0, 0] and step.after["used"].tolist() == [0, 0]


def test_linear_head_of_prototypes_is_the_squared_distance_classifier():
    features = torch.randn(7, 5, dtype=torch.float64)
    labels = torch.tensor([0, 0, 1, 2, 2, 2, 1])
    head = PrototypeHead()(lambda x: x, features, labels, 3)
    query = torch.randn(4, 5, dtype=torch.float64)
    distances = -(query[:, None] - prototypes(features, labels, 3)[None]).square().sum(2)
    torch.testing.assert_close(linear(query, head).softmax(1), distances.softmax(1), rtol=1e-12, atol=1e-14)


class Broken(UpdateRule):
    """A rule whose update returns `result(params)`."""

    def __init__(self, result):
        super().__init__()
        self.result = result

    def update(self, params, grads, state, step):
        return self.result(params)


@pytest.mark.parametrize(
    "result, line",
    [
        (lambda params: params, "Broken.update must return a pair: fast weights by name, and the next state"),
        (lambda params: (list(params.values()), ()), "Broken.update must return a pair"),
        (lambda params: ({f"w.{n}": t for n, t in params.items()}, ()), "it was given; it differs in .*head.bias"),
        (lambda params: ({"head.bias": params["head.bias"]}, ()), "it differs in backbone.0.weight, .*, head.weight"),
    ],
)
def test_a_rule_that_returns_something_else_is_refused(result, line):
    with pytest.raises(UserError, match=line):
        small_learner(lambda template, num_steps: Broken(result))(random_episode())
