"""The contract of update rules, one row each; add a row for every new rule."""

from functools import partial

import pytest
import torch

from alfa_md.heads import LearnedHead, PrototypeHead, ZeroHead
from alfa_md.inner_loop.loop import unroll
from alfa_md.inner_loop.recomputation import recompute_all
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.rules import separate as sources
from alfa_md.rules.adam import Adam as adam
from alfa_md.rules.alfa import BetaProduct, alfa, alfa_random
from alfa_md.rules.clipped import Clipped as clipped
from alfa_md.rules.generator import Generator, PaperGenerator, identity_init, reference_init
from alfa_md.rules.learning_state import LearningState
from alfa_md.rules.lograte import lograte
from alfa_md.rules.lslr import lslr
from alfa_md.rules.lslr_decay import lslr_decay
from alfa_md.rules.meta_sgd import meta_sgd
from alfa_md.rules.momentum import Momentum as momentum
from alfa_md.rules.normalized_state import NormalizedState
from alfa_md.rules.per_channel import PerStepPerChannel
from alfa_md.rules.separate import separate
from alfa_md.rules.sgd import sgd
from tests.episodes import meta_gradients, random_episode, small_learner


def generator(**options):
    return partial(Generator, **options)


FIXED = (sources.fixed_per_step, sources.fixed_per_layer, sources.fixed_per_step_per_layer)
ADAPTIVE = (sources.adaptive_per_step, sources.adaptive_per_layer, sources.adaptive_per_step_per_layer)
RULES = {
    "sgd": partial(sgd, inner_rate=0.1),
    "lslr": partial(lslr, inner_rate=0.1),
    "lslr_decay": partial(lslr_decay, inner_rate=0.1),
    "alfa": partial(alfa, inner_rate=0.1),
    "alfa, reference init": partial(alfa, inner_rate=0.1, generator=generator(initialize=reference_init)),
    "alfa, three layers": partial(alfa, inner_rate=0.1, generator=generator(num_layers=3)),
    "alfa, weights only": partial(
        alfa, inner_rate=0.1, generator=generator(state=partial(LearningState, parts=("weights",)))
    ),
    "alfa, gradients only": partial(
        alfa, inner_rate=0.1, generator=generator(state=partial(LearningState, parts=("gradients",)))
    ),
    "alfa, attached": partial(alfa, inner_rate=0.1, generator=generator(state=partial(LearningState, detached=()))),
    "alfa, normalised state": partial(alfa, inner_rate=0.1, generator=generator(state=NormalizedState)),
    "alfa, fewer entries": partial(
        alfa, inner_rate=0.1, generator=generator(state=partial(NormalizedState, without=("gradients/head.bias",)))
    ),
    "alfa per channel": partial(alfa, inner_rate=0.1, scale=PerStepPerChannel),
    "lograte": partial(lograte, inner_rate=0.1),
    "momentum": partial(momentum, inner_rate=0.1),
    "adam": partial(adam, inner_rate=0.1, eps=1e-3),
    "clipped alfa": partial(clipped, rule=partial(alfa, inner_rate=0.1), max_norm=0.5),
    "alfa, product form": partial(alfa, inner_rate=0.1, inner_decay=1.0, beta_form=BetaProduct),
    "alfa of the paper": partial(
        alfa, inner_rate=0.1, inner_decay=1.0, beta_form=BetaProduct, generator=PaperGenerator
    ),
}
for source in FIXED + ADAPTIVE:
    RULES[f"rate {source.__name__}"] = partial(separate, lr=source, decay=sources.zero, inner_rate=0.1)
    RULES[f"decay {source.__name__}"] = partial(separate, lr=sources.unlearned, decay=source, inner_rate=0.1)
PER_PARAMETER = {  # need a head of fixed size
    "meta_sgd": partial(meta_sgd, inner_rate=0.1),
    "alfa_random": partial(alfa_random, inner_rate=0.1),
    "random, decay adaptive per layer": partial(
        separate,
        lr=sources.unlearned,
        decay=partial(sources.per_parameter, source=sources.adaptive_per_layer),
        inner_rate=0.1,
    ),
    "random, decay per step": partial(
        separate,
        lr=sources.unlearned,
        decay=partial(sources.per_parameter, source=sources.fixed_per_step),
        inner_rate=0.1,
    ),
}
HALVED = (RULES["lograte"],)  # steps beyond the last halve its learned values
every_rule = pytest.mark.parametrize("rule", (RULES | PER_PARAMETER).values(), ids=RULES | PER_PARAMETER)


def head_for(rule, other, max_way=4):
    """`other`, or a learned head for rules that need a fixed size."""
    return LearnedHead(16, max_way) if rule in PER_PARAMETER.values() else other


def fast_weights(seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = {"a.weight": (4, 3), "a.bias": (4,), "head.weight": (2, 4), "head.bias": (2,)}
    return {k: torch.randn(s, generator=generator, dtype=torch.float64) for k, s in shapes.items()}


@every_rule
def test_keeps_names_and_shapes_and_changes_nothing_in_place(rule):
    params, grads = fast_weights(0), fast_weights(1)
    before = {name: value.clone() for name, value in params.items()}
    built = rule(params, 3).double()
    after, _ = built.update(params, grads, built.init(params), 0)
    assert {k: v.shape for k, v in after.items()} == {k: v.shape for k, v in params.items()}
    assert all(torch.equal(params[name], before[name]) for name in params)
    assert any(not torch.equal(after[name], before[name]) for name in params)


@every_rule
def test_steps_beyond_the_last_use_its_hyperparameters(rule):
    params, grads = fast_weights(0), fast_weights(1)
    built = rule(params, 3).double()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(torch.arange(parameter.numel(), dtype=torch.float64).view_as(parameter) / 100)
    last, beyond = (built.hyperparameters(params, grads, built.init(params), step) for step in (2, 7))
    assert "rates" in last and last.keys() == beyond.keys()
    for kind, values in last.items():
        assert values.keys() == params.keys()
        share = 0.5**5 if rule in HALVED and not kind.startswith("generated") else 1
        expected, given = ([torch.as_tensor(own[name]) for name in params] for own in (values, beyond[kind]))
        assert all(torch.equal(share * a, b) for a, b in zip(expected, given, strict=True)), kind


@every_rule
@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("way, shots", [(2, (1, 2)), (4, (2, 1, 3, 1))])
def test_meta_gradient_reaches_every_meta_parameter(rule, first_order, way, shots):
    learner = small_learner(rule, head_for(rule, PrototypeHead(), way), first_order=first_order)
    with torch.no_grad():  # away from identity initialisation, which has zero gradients in the first generator layer
        for parameter in learner.rule.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    grads = meta_gradients(learner, random_episode(way, shots))
    for name, parameter in learner.named_parameters():
        assert grads[name].isfinite().all() and grads[name].abs().sum() > 0, name
        assert grads[name].shape == parameter.shape


@every_rule
def test_meta_gradients_equal_finite_differences(rule):
    """Along one direction in the rule's parameters, with support gradients held fixed as in first order."""
    learner, episode = small_learner(rule, head_for(rule, PrototypeHead(), 3)), random_episode()
    learned = list(learner.rule.parameters()) or list(learner.parameters())
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in learned:
            parameter.add_(0.01 * torch.randn_like(parameter))
    directions = [torch.randn_like(parameter) for parameter in learned]
    steps = unroll(learner.initial(episode), learner.support_loss(episode), learner.rule, 2, True)
    frozen = [step.grads for step in steps]

    def loss_at(distance):
        with torch.no_grad():
            for parameter, direction in zip(learned, directions, strict=True):
                parameter.add_(distance * direction)
            params = learner.initial(episode)
            state = learner.rule.init(params)
            for i, grads in enumerate(frozen):
                params, state = learner.rule.update(params, grads, state, i)
            scores = learner.classify(params, episode.support_x, episode.query_x)
            for parameter, direction in zip(learned, directions, strict=True):
                parameter.sub_(distance * direction)
            return learner.objective.loss(scores, episode.query_y).item()

    meta_gradients(learner, episode)
    slope = sum((p.grad * direction).sum().item() for p, direction in zip(learned, directions, strict=True))
    assert slope == pytest.approx((loss_at(1e-6) - loss_at(-1e-6)) / 2e-6, rel=1e-5)


@every_rule
def test_vmapped_and_recomputed_steps_give_the_same_meta_gradients(rule):
    episodes, results = [random_episode(seed=seed) for seed in range(2)], []
    for options in ({}, {"batching": vmapped, "recompute": recompute_all}):
        torch.manual_seed(0)
        learner = small_learner(rule, head_for(rule, PrototypeHead(), 3), first_order=False, num_steps=3, **options)
        sum(outcome.loss for outcome in learner.losses(episodes)).backward()
        results.append({name: parameter.grad for name, parameter in learner.named_parameters()})
    for name, grad in results[0].items():
        torch.testing.assert_close(results[1][name], grad, rtol=1e-10, atol=1e-12 * grad.abs().max().item(), msg=name)


@every_rule
@pytest.mark.parametrize("head", [PrototypeHead, ZeroHead])
def test_works_without_gradients(rule, head):
    learner, episode = small_learner(rule, head_for(rule, head())), random_episode()
    with torch.no_grad():
        scores = learner(episode)
    assert scores.shape == (6, 3) and not scores.requires_grad and scores.isfinite().all()


@every_rule
def test_state_dict_round_trip(rule):
    episode = random_episode()
    learner, other = (small_learner(rule, head_for(rule, PrototypeHead())) for _ in range(2))
    with torch.no_grad():
        for parameter in learner.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    other.load_state_dict(learner.state_dict())
    assert torch.equal(learner(episode), other(episode))


@pytest.mark.parametrize("head", [PrototypeHead, ZeroHead])
def test_identity_alfa_without_decay_equals_sgd_bit_for_bit(head):
    episode = random_episode()
    plain = small_learner(RULES["sgd"], head())
    adaptive = small_learner(
        partial(alfa, inner_rate=0.1, inner_decay=0.0, generator=generator(initialize=identity_init)), head()
    )
    adaptive.backbone.load_state_dict(plain.backbone.state_dict())
    adaptive.rule.hypers.second.lr.values.data.fill_(0.1)  # the float32 0.1 of the parameter is not Python's
    assert torch.equal(plain(episode), adaptive(episode))


@pytest.mark.parametrize("nested", [False, True])
def test_from_first_step_keeps_values_for_one_task_only(nested):
    decay = partial(sources.per_parameter, source=sources.adaptive_per_layer) if nested else sources.adaptive_per_layer
    params, grads = fast_weights(0), fast_weights(1)
    built = separate(params, 3, lr=sources.adaptive_per_layer, decay=decay, inner_rate=0.1).double()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(torch.randn_like(parameter))
    first, state = built.hypers(params, grads, built.init(params), 0)
    again, _ = built.hypers(fast_weights(2), fast_weights(3), state, 1)
    other, _ = built.hypers(fast_weights(2), fast_weights(3), built.init(params), 0)
    for kept, new, old in zip(again, other, first, strict=True):
        assert all(torch.equal(kept[name], old[name]) for name in params)
        assert any(not torch.equal(new[name], old[name]) for name in params)
