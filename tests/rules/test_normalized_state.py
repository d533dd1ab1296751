"""The normalised learning state: scales, excluded entries, outer updates, processes and checkpoints."""

from functools import partial

import pytest
import torch

from alfa_md.backbones.conv4 import Conv4
from alfa_md.errors import UserError
from alfa_md.experiment import config
from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.heads import LearnedHead, xavier
from alfa_md.inner_loop.loop import unroll
from alfa_md.learners.adapts import all_but_batch_norm
from alfa_md.learners.batching.vmapped import vmapped, vmapped_scores
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.tracing import trace
from alfa_md.rules.alfa import alfa
from alfa_md.rules.generator import Generator, reference_init
from alfa_md.rules.learning_state import LearningState
from alfa_md.rules.normalized_state import NormalizedState
from alfa_md.rules.separate import GeneratedForAll
from alfa_md.training.step import outer_step
from tests.episodes import random_episode, small_learner
from tests.equal_runs import assert_equal_runs
from tests.noise import fresh_state, noise_experiment, power_cut, train_on_noise

NAMES = ("w", "b")
LIVE = partial(NormalizedState, without=("gradients/head.*",))  # zero up to rounding under cross entropy
GENERATOR = partial(Generator, state=LIVE, initialize=reference_init)
NORMALIZED = partial(alfa, inner_rate=0.1, inner_decay=0.01, generator=GENERATOR)


def single_process(values):
    """The sums over processes for a single process."""
    return list(values)


def random_params(seed, **scales):
    generator = torch.Generator().manual_seed(seed)
    return {n: scales.get(n, 1.0) * torch.randn(3, generator=generator, dtype=torch.float64) for n in NAMES}


def taus_of(state, seeds, **scales):
    """tau of the tasks with these seeds; `scales` multiply the gradients of a tensor."""
    return torch.stack([state(random_params(seed), random_params(-1 - seed, **scales)) for seed in seeds])


def state_of(learner):
    return learner.rule.hypers.first.generator.state


def test_an_entry_is_divided_by_its_root_mean_square():
    state, raw = NormalizedState(dict.fromkeys(NAMES)), taus_of(LearningState(dict.fromkeys(NAMES)), range(10))
    assert torch.equal(taus_of(state, range(10)), raw), "no scaling in the first update"
    state.synchronize(single_process)
    torch.testing.assert_close(state.scale(), raw.square().mean(0).sqrt(), rtol=1e-14, atol=0)
    tau = taus_of(state.eval(), range(10))
    torch.testing.assert_close(tau.square().mean(0), torch.ones(4).double(), rtol=1e-14, atol=0)


def test_the_mean_square_is_an_exponential_moving_average():
    state, raw = NormalizedState(dict.fromkeys(NAMES), momentum=0.75), LearningState(dict.fromkeys(NAMES))
    for seeds in (range(3), range(3, 8)):
        taus_of(state, seeds)
        state.synchronize(single_process)
    first, second = (taus_of(raw, seeds).square().mean(0) for seeds in (range(3), range(3, 8)))
    torch.testing.assert_close(state.mean_square, 0.75 * first + 0.25 * second, rtol=1e-14, atol=0)
    before = state.mean_square.clone()
    state.synchronize(single_process)  # an update without episodes
    assert torch.equal(state.mean_square, before)


def test_tau_does_not_depend_on_the_scale_of_a_gradient():
    states = [NormalizedState(dict.fromkeys(NAMES)) for _ in range(2)]
    for state, scale in zip(states, (1.0, 1000.0), strict=True):
        taus_of(state, range(5), b=scale)
        state.synchronize(single_process)
    plain, scaled = (taus_of(state, range(5, 9), b=scale) for state, scale in zip(states, (1.0, 1000.0), strict=True))
    assert torch.equal(plain[:, :3], scaled[:, :3])
    torch.testing.assert_close(plain[:, 3], scaled[:, 3], rtol=1e-12, atol=0)


def test_an_entry_that_is_always_zero_stays_zero():
    state = NormalizedState(dict.fromkeys(NAMES))
    taus_of(state, range(3), b=0.0)
    state.synchronize(single_process)
    assert taus_of(state, range(2), b=0.0)[:, 3].tolist() == [0, 0]
    state.synchronize(single_process)
    assert state.scale()[3] == 1
    raw = taus_of(LearningState(dict.fromkeys(NAMES)), range(4))[:, 3]
    taus_of(state, range(4))
    state.synchronize(single_process)
    torch.testing.assert_close(state.scale()[3], raw.square().mean().sqrt())


def test_entries_matching_a_pattern_are_excluded():
    template = dict.fromkeys(["layers.0.conv.weight", "layers.0.conv.bias", "head.bias"])
    inert = ("gradients/*.conv.bias", "weights/*.conv.bias")
    state = NormalizedState(template, without=inert)
    assert state.entries == [
        "weights/layers.0.conv.weight",
        "weights/head.bias",
        "gradients/layers.0.conv.weight",
        "gradients/head.bias",
    ]
    params, grads = ({name: torch.tensor([k + sign]) for k, name in enumerate(template)} for sign in (1.0, -9.0))
    assert state(params, grads).tolist() == [1, 3, -9, -7]
    network = Generator(template, 6, state=partial(NormalizedState, without=inert)).network
    assert [layer.in_features for layer in network[::2]] == [4, 6]


def test_gradients_of_a_softmax_head_are_inert():
    """They sum to zero over the classes: their means are rounding errors."""
    learner = small_learner(partial(alfa, inner_rate=0.1, generator=partial(Generator, state=NormalizedState)))
    outer_step(fresh_state(learner), [random_episode()], clip_norm=10.0)
    scales = dict(zip(state_of(learner).entries, state_of(learner).scale().tolist(), strict=True))
    inert = {entry for entry, scale in scales.items() if scale < 1e-14 or scale == 1}
    assert inert == {"gradients/head.weight", "gradients/head.bias"}


def test_nine_of_the_twenty_entries_of_4_conv_remain():
    """Four convolution weights, their gradients, and the weight of the head."""
    inert = ("*/backbone.layers.*.0.bias", "gradients/head.*", "weights/head.bias")
    generator = partial(Generator, state=partial(NormalizedState, without=inert))
    parts = (Conv4(), LearnedHead(1200, 5, xavier), partial(alfa, inner_rate=0.01, generator=generator))
    state = state_of(GradientLearner(*parts, num_steps=1, adapts=all_but_batch_norm))
    weights = [f"backbone.layers.{k}.0.weight" for k in range(4)]
    live = [f"weights/{name}" for name in (*weights, "head.weight")] + [f"gradients/{name}" for name in weights]
    assert state.entries == live and state.size == 9


@pytest.mark.parametrize(
    "options, message",
    [
        ({"without": ("gradients/a",)}, "without: 'gradients/a' matches no entry .* there are: weights/w, weights/b"),
        ({"without": ("*",)}, "without = .* leaves no entry"),
        ({"detached": ("gradient",)}, "detached = .* choose among"),
        ({"momentum": 1.0}, "momentum = 1.0 must be at least 0 and less than 1"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(UserError, match=f"NormalizedState.{message}"):
        NormalizedState(dict.fromkeys(NAMES), **options)


@pytest.mark.parametrize("detached", [(), ("gradients",), ("weights",), ("weights", "gradients")])
def test_gradients_flow_through_parts_not_detached_and_never_through_the_scale(detached):
    parts = {"weights": random_params(1), "gradients": random_params(2)}
    for tensor in (*parts["weights"].values(), *parts["gradients"].values()):
        tensor.requires_grad_()
    state = NormalizedState(dict.fromkeys(NAMES), detached=detached)
    taus_of(state, range(4))
    state.synchronize(single_process)
    tau = state(*parts.values())
    assert tau.requires_grad == (len(detached) < 2)
    if tau.requires_grad:
        tau.sum().backward()
    expected = (1 / (3 * state.scale())).view(2, 2)
    for row, (part, tensors) in zip(expected, parts.items(), strict=True):
        for own, tensor in zip(row, tensors.values(), strict=True):
            assert (tensor.grad is None) == (part in detached)
            assert tensor.grad is None or torch.allclose(tensor.grad, own.expand(3), rtol=1e-14)


def test_two_processes_get_the_scale_of_one():
    one, *two = (NormalizedState(dict.fromkeys(NAMES)) for _ in range(3))
    taus_of(one, range(5))
    one.synchronize(single_process)
    for state, seeds in zip(two, ((0, 2, 4), (3, 1)), strict=True):
        taus_of(state, seeds)
    sums = (two[0].pending + two[1].pending).tolist()
    for state in two:
        state.synchronize(lambda values: sums)
        torch.testing.assert_close(state.scale(), one.scale(), rtol=1e-14, atol=0)


@pytest.mark.parametrize("first_order", [True, False])
def test_stacked_training_equals_one_episode_at_a_time(first_order):
    """Scores, meta-gradients and scales of two updates, with episodes in different orders."""
    learners = [small_learner(NORMALIZED, first_order=first_order, batching=batching) for batching in (None, vmapped)]
    states = [fresh_state(learner) for learner in learners]
    for update in range(2):
        episodes = [random_episode(seed=4 * update + k) for k in range(4)]
        scores = [torch.stack(learner.eval().forward_episodes(episodes)) for learner in learners]
        torch.testing.assert_close(*scores, rtol=1e-10, atol=1e-10)
        one, together = (
            outer_step(state, order, clip_norm=10.0)
            for state, order in zip(states, (episodes, episodes[::-1]), strict=True)
        )
        assert one[:2] == pytest.approx(together[:2], rel=1e-10)
        assert one.gradient_norm == pytest.approx(together.gradient_norm, rel=1e-8)
        torch.testing.assert_close(*(state_of(learner).scale() for learner in learners), rtol=1e-10, atol=0)
        for name, parameter in learners[0].named_parameters():
            other = learners[1].get_parameter(name).grad
            torch.testing.assert_close(parameter.grad, other, rtol=1e-8, atol=1e-10 * other.abs().max().item())
    assert (state_of(learners[0]).scale() != 1).all()


def test_the_scale_covers_all_tasks_and_steps_of_an_update():
    learner, episodes = small_learner(NORMALIZED), [random_episode(seed=seed) for seed in range(3)]
    raw, taus = LearningState(learner.initial(episodes[0])), []
    for episode in episodes:
        steps = unroll(learner.initial(episode), learner.support_loss(episode), learner.eval().rule, 2, True)
        taus += [raw(step.before, step.grads) for step in steps]
    outer_step(fresh_state(learner), episodes, clip_norm=10.0)
    expected = torch.stack(taus)[:, : state_of(learner).size].square().mean(0).sqrt()  # the head's gradients come last
    torch.testing.assert_close(state_of(learner).scale(), expected.detach(), rtol=1e-10, atol=0)


def test_learners_list_the_states_of_all_generators_as_accumulators():
    learner = small_learner()
    learner.spare = GeneratedForAll(learner.initial(random_episode()))
    assert learner.accumulators() == []
    learner.spare.generator.state = NormalizedState(dict.fromkeys(NAMES))
    learner.other = NormalizedState(dict.fromkeys(NAMES))
    assert learner.accumulators() == [learner.spare.generator.state, learner.other]


@pytest.mark.parametrize("batching", [None, vmapped])
def test_a_non_finite_update_does_not_change_the_scale(batching):
    learner, other = (small_learner(NORMALIZED, batching=batching) for _ in range(2))
    good = [[random_episode(seed=2 * k), random_episode(seed=2 * k + 1)] for k in range(2)]
    non_finite = [random_episode(seed=7), random_episode(seed=8)]
    non_finite[1] = non_finite[1]._replace(query_x=non_finite[1].query_x / 0)
    state, undisturbed = fresh_state(learner), fresh_state(other)
    outer_step(state, good[0], clip_norm=10.0)
    before = state_of(learner).mean_square.clone()
    with pytest.raises(UserError, match="non-finite loss"):
        outer_step(state, non_finite, clip_norm=10.0)
    assert torch.equal(state_of(learner).mean_square, before)
    outer_step(state, good[1], clip_norm=10.0)
    for episodes in good:
        outer_step(undisturbed, episodes, clip_norm=10.0)
    assert torch.equal(state_of(learner).mean_square, state_of(other).mean_square)


def test_evaluation_accumulates_nothing_and_reuses_the_last_multipliers():
    learner, episodes = small_learner(NORMALIZED, additional_evaluation_steps=2), [random_episode(seed=5)] * 2
    outer_step(fresh_state(learner), [random_episode()], clip_norm=10.0)
    before, state = state_of(learner).mean_square.clone(), state_of(learner)
    learner.eval()
    with torch.no_grad():
        scores = torch.stack([learner(episode) for episode in episodes])
        torch.testing.assert_close(vmapped_scores(learner, episodes), scores, rtol=1e-12, atol=1e-12)
    rates = trace(learner, episodes[0]).values["multiplier_rates"]
    assert len(rates) == 4 and torch.equal(rates[2], rates[1]) and torch.equal(rates[3], rates[1])
    assert not torch.equal(rates[0], rates[1])
    assert torch.equal(state.mean_square, before) and not state.pending.any()


def test_a_checkpoint_has_the_scale_and_no_pending_sums(tmp_path):
    state, fresh = fresh_state(small_learner(NORMALIZED)), fresh_state(small_learner(NORMALIZED))
    outer_step(state, [random_episode()], clip_norm=10.0)
    state.save(tmp_path / "last.pt")
    fresh.restore(tmp_path / "last.pt")
    assert torch.equal(state_of(fresh.learner).mean_square, state_of(state.learner).mean_square)
    assert not any("pending" in name for name in load_checkpoint(tmp_path / "last.pt")["learner"])
    episode = random_episode(seed=1)
    assert torch.equal(fresh.learner(episode), state.learner(episode))


def test_a_resumed_run_has_the_scale_of_an_uninterrupted_one(tmp_path):
    """Interrupted between two checkpoints, within an update."""
    whole, cut = RunDirectory(tmp_path / "whole"), RunDirectory(tmp_path / "cut")

    def run(folder, *change):
        train_on_noise(folder.path, noise_experiment(small_learner(NORMALIZED).float(), *change), episodes_per_step=2)

    run(whole)
    with pytest.raises(RuntimeError, match="power cut"):
        run(cut, power_cut(7))
    run(cut)
    assert_equal_runs(whole, cut)
    assert (load_checkpoint(whole.last)["learner"]["rule.hypers.first.generator.state.mean_square"] > 0).all()


def test_it_is_configurable_by_gin():
    config.parse(
        ["gin/paper/table8_alfa_maml.gin"],
        [
            "import alfa_md.rules.normalized_state",
            "Generator.state = @NormalizedState",
            "NormalizedState.without = ('*/head.bias',)",
        ],
    )
    try:
        generator = Generator({"backbone.0.weight": None, "head.bias": None}, 4)
    finally:
        config.gin.clear_config()
    assert generator.state.entries == ["weights/backbone.0.weight", "gradients/backbone.0.weight"]
