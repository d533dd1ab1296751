"""The outer loop: its updates against plain arithmetic, and what a run leaves behind."""

import json
import math
from types import SimpleNamespace

import pytest
import torch

from alfa_md import clock, outer_loop
from alfa_md.checkpoint import load
from alfa_md.clock import Clock
from alfa_md.errors import UserError
from alfa_md.heads import ZeroHead
from alfa_md.learners.base import Learner
from alfa_md.outer_step import outer_step, parameter_groups
from alfa_md.progress import Progress
from alfa_md.run_directory import RunDirectory
from alfa_md.training import due
from tests.episodes import meta_gradients, meta_loss, random_episode, small_convnet, small_learner
from tests.equal_runs import COSTS, assert_equal_runs, curves
from tests.noise import CPU, fresh_state, noise_experiment, noise_learner, train_on_noise


def kernels(learner) -> set[str]:
    return {name for name, parameter in learner.named_parameters() if parameter.dim() == 4}


def test_weight_decay_is_a_sum_of_squares_in_the_loss():
    """Adam with twice the weight decay on the kernels takes the steps of the loss + wd * sum(w^2)."""
    wd = 0.3
    learner, plain = small_learner(), small_learner()
    state, adam = fresh_state(learner, wd), torch.optim.Adam(plain.parameters(), lr=0.01)
    for seed in range(4):
        outer_step(state, [random_episode(seed=seed)], clip_norm=math.inf)
        penalty = sum(plain.get_parameter(name).square().sum() for name in kernels(plain))
        adam.zero_grad()
        (meta_loss(plain, random_episode(seed=seed)) + wd * penalty).backward()
        adam.step()
    for name, parameter in learner.named_parameters():
        torch.testing.assert_close(parameter, plain.get_parameter(name), rtol=1e-9, atol=1e-12)
    without = fresh_state(small_learner())
    outer_step(without, [random_episode(seed=0)], clip_norm=math.inf)
    assert not torch.allclose(without.learner.backbone[0].weight, learner.backbone[0].weight)


def test_weight_decay_alone_moves_nothing_but_kernels():
    learner = small_learner(backbone=small_convnet())
    before = {name: parameter.detach().clone() for name, parameter in learner.named_parameters()}
    optimizer = torch.optim.Adam(parameter_groups(learner, 0.1), lr=0.01)
    for parameter in learner.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    moved = {name for name, parameter in learner.named_parameters() if not torch.equal(parameter, before[name])}
    assert moved == kernels(learner) and len(moved) == 4
    assert {"rule.hypers.second.lr.values", "rule.hypers.first.generator.network.0.weight", "backbone.layers.0.1.bias"} < before.keys()


def test_the_rate_falls_in_stairs():
    state = fresh_state(noise_learner(num_steps=1), decay_every=3, decay_rate=0.5)
    for t in range(8):
        for group in state.optimizer.param_groups:
            assert group["lr"] == pytest.approx(0.01 * 0.5 ** (t // 3), rel=1e-12)
        outer_step(state, [random_episode(seed=t, dtype=torch.float32)], clip_norm=10.0)
    assert state.step == 8 and len(state.optimizer.param_groups) == 2


def test_gradients_are_averaged_over_the_episodes_of_a_step():
    episodes = [random_episode(seed=seed) for seed in range(3)]
    singles = [meta_gradients(small_learner(), episode) for episode in episodes]
    state = fresh_state(small_learner())
    loss, score = outer_step(state, episodes, clip_norm=math.inf)
    for name, parameter in state.learner.named_parameters():
        mean = sum(single[name] for single in singles) / 3
        torch.testing.assert_close(parameter.grad, mean, rtol=1e-10, atol=1e-14)
    losses = [meta_loss(small_learner(), episode).item() for episode in episodes]
    assert loss == pytest.approx(sum(losses) / 3, rel=1e-12) and 0 <= score <= 1


def test_clipping_keeps_the_direction_and_limits_the_norm():
    free, clipped = fresh_state(small_learner()), fresh_state(small_learner())
    outer_step(free, [random_episode()], clip_norm=math.inf)
    outer_step(clipped, [random_episode()], clip_norm=0.01)
    gradients = [torch.cat([p.grad.flatten() for p in s.learner.parameters()]) for s in (free, clipped)]
    assert gradients[0].norm() > 0.02 and gradients[1].norm().item() == pytest.approx(0.01, rel=1e-3)
    assert torch.cosine_similarity(*gradients, dim=0) > 1 - 1e-9


def power_cut(at):
    """A change of episodes that ends the run where episode `at` is drawn."""

    def change(index, episode):
        if index == at:
            raise RuntimeError("power cut")
        return episode

    return change


def spoiled(at):
    return lambda index, episode: episode._replace(query_x=episode.query_x / (index != at))


def test_a_non_finite_loss_stops_the_run_and_keeps_the_last_checkpoint(tmp_path):
    run = RunDirectory(tmp_path)
    with pytest.raises(RuntimeError, match="power cut"):
        train_on_noise(tmp_path, noise_experiment(change=power_cut(3)))
    before = run.last.read_bytes()
    with pytest.raises(UserError) as caught:
        train_on_noise(tmp_path, noise_experiment(change=spoiled(3)))
    message = str(caught.value).splitlines()[0]  # gin adds a line of its own
    assert "non-finite loss at update 4" in message and "noise train episode 3 of seed 0" in message
    assert "train.learning_rate" in message
    assert run.last.read_bytes() == before and load(run.last)["step"] == 2


class Cliff(Learner):
    """The loss is finite, its gradient is not: the square root of zero."""

    def __init__(self):
        super().__init__()
        self.zero = torch.nn.Parameter(torch.zeros(()))

    def forward(self, episode):
        return self.zero.sqrt() * torch.ones(len(episode.query_y), episode.way).cumsum(1)


def test_a_non_finite_gradient_moves_nothing_and_names_every_episode_in_it():
    state = fresh_state(Cliff())
    with pytest.raises(UserError, match="non-finite gradient at update 1 on .*episode 0 of seed 7.*of seed 8"):
        outer_step(state, [random_episode(seed=7), random_episode(seed=8)], clip_norm=10.0)
    assert state.learner.zero == 0 and state.step == 0


def test_the_best_checkpoint_is_the_first_of_the_highest_and_not_the_last(tmp_path, monkeypatch):
    script = iter([0.2, 0.8, 0.8, 0.5])
    with monkeypatch.context() as patch:
        patch.setattr(outer_loop, "scores", lambda *arguments: [[next(script)] * 2])
        train_on_noise(tmp_path, noise_experiment(), num_updates=8)
    run = RunDirectory(tmp_path)
    best, last = load(run.best), load(run.last)
    assert (best["step"], best["best"], last["step"], last["best"]) == (4, 0.8, 8, 0.8)
    four = train_on_noise(tmp_path / "four", noise_experiment(), num_updates=4).learner.state_dict()
    assert all(torch.equal(best["learner"][name], value) for name, value in four.items())


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tmp_path):
    """Cut between two checkpoints: update 3 is done and logged, then lost, and done again."""
    whole, cut = RunDirectory(tmp_path / "whole"), RunDirectory(tmp_path / "cut")
    train_on_noise(whole.path, noise_experiment(), episodes_per_step=2)
    with pytest.raises(RuntimeError, match="power cut"):
        train_on_noise(cut.path, noise_experiment(change=power_cut(7)), episodes_per_step=2)
    assert load(cut.last)["step"] == 2 and curves(cut)[-1]["step"] == 3
    torch.manual_seed(99)
    other_start = noise_experiment(noise_learner())
    torch.nn.init.normal_(other_start.learner.backbone[0].weight)  # the checkpoint counts, not where this one starts
    train_on_noise(cut.path, other_start, episodes_per_step=2)
    assert_equal_runs(whole, cut)
    places = [(record["step"], record["group"]) for record in curves(cut)]
    assert len(set(places)) == len(places) == 6 + 3


def test_a_seed_determines_the_run(tmp_path):
    def weights(folder, seed):
        facts = {"name": "noise", "seed": seed, "data_root": "memory", "data_kind": "records"}
        return train_on_noise(tmp_path / folder, noise_experiment(), facts, num_updates=2).learner.state_dict()

    first, again, other = weights("first", 0), weights("again", 0), weights("other", 1)
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not torch.equal(first["backbone.0.weight"], other["backbone.0.weight"])


def test_training_makes_the_learner_better(tmp_path):
    """Validation episodes are not training episodes; the loss on them falls."""
    experiment = noise_experiment(noise_learner(head=ZeroHead(), num_steps=1))
    episodes = [experiment.validation(tmp_path, 0).episode(index) for index in range(8)]

    def loss():
        with torch.no_grad():
            return sum(meta_loss(experiment.learner, episode).item() for episode in episodes) / 8

    before = loss()
    train_on_noise(tmp_path, experiment, num_updates=60, decay_every=60, validate_every=60)
    assert loss() < 0.8 * before


def test_a_finished_run_is_left_as_it_is(tmp_path):
    run = RunDirectory(tmp_path)
    train_on_noise(tmp_path, noise_experiment())
    files = (run.last, run.best, run.metrics, run.config, run.facts_file)
    before = [file.read_bytes() for file in files]
    state = train_on_noise(tmp_path, noise_experiment())
    assert [file.read_bytes() for file in files] == before
    assert state.step == 6 and state.best == load(run.best)["best"]


@pytest.mark.parametrize("every", [1, 3, 5, 100])
def test_due_at_every_multiple_and_at_the_end(every):
    assert [step for step in range(1, 8) if due(step, every, 7)] == sorted({*range(every, 8, every), 7})


def told(monkeypatch, capsys, seconds, num_updates, device="cpu", done=0, share=0.0) -> str:
    """What a clock says of a run whose updates take `seconds`, the first a minute longer."""
    now = [0.0]
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: now[0], process_time=lambda: 0.0))
    timer = Clock(done, num_updates, torch.device(device), Progress("training", num_updates, done), share, {})
    now[0] += 60
    for step in range(done + 1, done + 6):
        now[0] += seconds
        timer.tick(step)
        said = capsys.readouterr().out
        assert bool(said) == (step == done + 3)
        if said:
            return said


def test_the_clock_estimates_the_whole_run_after_the_third_update(monkeypatch, capsys):
    text = told(monkeypatch, capsys, seconds=0.5, num_updates=1200)
    assert "0.50 s an update" in text and "about 10.0 minutes for 1200 updates" in text and "quickstart" not in text
    assert "1.0 hours for 7200 updates" in told(monkeypatch, capsys, seconds=0.5, num_updates=9000, done=1800)
    with_validation = told(monkeypatch, capsys, seconds=0.5, num_updates=7200, share=1.2)
    assert "1.6 hours for 7200 updates and their validation" in with_validation


def test_the_time_of_earlier_processes_counts(monkeypatch):
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: 5.0, process_time=lambda: 3.0))
    timer = Clock(0, 9, torch.device("cpu"), Progress("", 9), 0.0, {"seconds": 10.0, "cpu_seconds": 20.0})
    assert timer.seconds() == {"seconds": 10.0, "cpu_seconds": 20.0}


def test_the_clock_names_the_quickstart_above_twelve_hours_on_a_cpu(monkeypatch, capsys):
    assert "quickstart" in told(monkeypatch, capsys, seconds=1.0, num_updates=12 * 3600 + 10)
    assert "quickstart" not in told(monkeypatch, capsys, seconds=1.0, num_updates=12 * 3600 - 10)
    assert "quickstart" not in told(monkeypatch, capsys, seconds=1.0, num_updates=100_000, device="cuda")


def test_a_run_says_what_it_will_take_and_how_validation_went(tmp_path, capsys):
    state = train_on_noise(tmp_path, noise_experiment())
    lines = capsys.readouterr().out.splitlines()
    assert sum("s an update: about" in line for line in lines) == 1
    assert any(line.startswith("update 6: validation") and f"best {100 * state.best:.2f} %" in line for line in lines)


def test_metrics_hold_both_curves_and_the_time(tmp_path):
    train_on_noise(tmp_path, noise_experiment(), log_every=4)
    records = [json.loads(line) for line in RunDirectory(tmp_path).metrics.read_text().splitlines()]
    assert [(r["step"], r["group"]) for r in records] == [
        (2, "validation"),
        (4, "train"),
        (4, "validation"),
        (6, "train"),
        (6, "validation"),
    ]
    assert records[1].keys() == {"step", "group", "loss", "accuracy", "learning_rate", *COSTS}
    assert records[2].keys() == {"step", "group", "accuracy", "ci95", "seconds", "cpu_seconds"}
    assert 0 <= records[1]["data_wait"] <= 1 and records[1]["peak_memory"] > 2**20
    assert records[1]["learning_rate"] == 0.005 and records[4]["cpu_seconds"] > 0


def test_validation_is_in_evaluation_mode_and_training_goes_on_in_training_mode(tmp_path):
    learner, modes = noise_learner(), []
    learner.register_forward_hook(lambda module, inputs, output: modes.append(module.training))
    train_on_noise(tmp_path, noise_experiment(learner), num_updates=4)
    assert modes == [True, True, False, False] * 2


def test_training_runs_on_the_device_it_is_given(tmp_path):
    assert next(train_on_noise(tmp_path, noise_experiment()).learner.parameters()).device == CPU
