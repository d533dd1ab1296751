"""The outer loop: its output and the files of a run."""

import json
import re

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.heads import ZeroHead
from alfa_md.system import progress
from alfa_md.training.loop import is_due
from alfa_md.training.schedules import flat
from tests.episodes import meta_loss
from tests.equal_runs import COSTS, assert_equal_runs, curves
from tests.noise import CPU, noise_experiment, noise_learner, power_cut, train_on_noise


def test_a_learner_with_nothing_to_train_is_refused(tmp_path):
    learner = noise_learner().requires_grad_(False)
    with pytest.raises(UserError, match="GradientLearner has nothing to train; train.num_updates = 0 keeps it"):
        train_on_noise(tmp_path / "run", noise_experiment(learner))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("frozen", [False, True])
def test_a_run_without_updates_keeps_the_learner_as_it_starts(tmp_path, capsys, frozen):
    learner, run = noise_learner(), RunDirectory(tmp_path)
    learner.requires_grad_(not frozen)
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    state = train_on_noise(tmp_path, noise_experiment(learner), num_updates=0)
    assert "train.num_updates = 0: GradientLearner is validated and kept as it starts" in capsys.readouterr().out
    assert [(r["step"], r["group"]) for r in curves(run)] == [(0, "validation")]
    for path in (run.best, run.last, *run.ensemble_checkpoints()):
        content = load_checkpoint(path)
        assert content["step"] == 0
        assert all(torch.equal(content["learner"][name], value) for name, value in before.items())
    saved, curve = run.last.read_bytes(), run.metrics.read_bytes()
    again = train_on_noise(tmp_path, noise_experiment(learner), num_updates=0)
    assert (again.step, again.best) == (0, state.best)
    assert (run.last.read_bytes(), run.metrics.read_bytes()) == (saved, curve)


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
    assert run.last.read_bytes() == before and load_checkpoint(run.last)["step"] == 2


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tmp_path):
    """Interrupted between two checkpoints: update 3 is done and logged, then lost, and repeated."""
    whole, cut = RunDirectory(tmp_path / "whole"), RunDirectory(tmp_path / "cut")
    train_on_noise(whole.path, noise_experiment(), episodes_per_step=2)
    with pytest.raises(RuntimeError, match="power cut"):
        train_on_noise(cut.path, noise_experiment(change=power_cut(7)), episodes_per_step=2)
    assert load_checkpoint(cut.last)["step"] == 2 and curves(cut)[-1]["step"] == 3
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
    """Validation episodes differ from training episodes; the loss on them decreases."""
    experiment = noise_experiment(noise_learner(head=ZeroHead(), num_steps=1))
    episodes = [experiment.validation(tmp_path, 0).episode(index) for index in range(8)]

    def loss():
        with torch.no_grad():
            return sum(meta_loss(experiment.learner, episode).item() for episode in episodes) / 8

    before = loss()
    train_on_noise(tmp_path, experiment, num_updates=60, schedule=flat, validate_every=60)
    assert loss() < 0.8 * before


def test_a_finished_run_is_left_as_it_is(tmp_path):
    run = RunDirectory(tmp_path)
    train_on_noise(tmp_path, noise_experiment())
    files = (run.last, run.best, run.metrics, run.config, run.facts_file)
    before = [file.read_bytes() for file in files]
    state = train_on_noise(tmp_path, noise_experiment())
    assert [file.read_bytes() for file in files] == before
    assert state.step == 6 and state.best == load_checkpoint(run.best)["best"]


@pytest.mark.parametrize("every", [1, 3, 5, 100])
def test_due_at_every_multiple_and_at_the_end(every):
    assert [step for step in range(1, 8) if is_due(step, every, 7)] == sorted({*range(every, 8, every), 7})


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
    means = {"gradient_norm", "mean_rates", "mean_decays"}
    assert records[1].keys() == {"step", "group", "loss", "accuracy", "learning_rate", *means, *COSTS}
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


def test_validation_shows_its_progress(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "PLAIN_SECONDS", -1.0)  # a line for every portion
    train_on_noise(tmp_path, noise_experiment(), num_updates=0, num_validation_episodes=25)
    assert re.findall(r"validation (\d+)/25", capsys.readouterr().out) == ["10", "20", "25"]
