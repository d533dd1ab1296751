"""Selection of the best checkpoints by validation."""

import json
import math

import pytest
import torch

from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.metrics import SQUARED_ERROR
from alfa_md.objectives import Objective
from alfa_md.training import hooks
from tests.equal_runs import assert_equal_runs, curves
from tests.noise import noise_experiment, noise_learner, power_cut, train_on_noise


def test_the_best_checkpoint_is_the_first_of_the_highest_and_not_the_last(tmp_path, monkeypatch):
    script = iter([0.2, 0.8, 0.8, 0.5])
    with monkeypatch.context() as patch:
        patch.setattr(hooks, "score_episodes", lambda *arguments: [[next(script)] * 2])
        train_on_noise(tmp_path, noise_experiment(), num_updates=8)
    run = RunDirectory(tmp_path)
    best, last = load_checkpoint(run.best), load_checkpoint(run.last)
    assert (best["step"], best["best"], last["step"], last["best"]) == (4, 0.8, 8, 0.8)
    four = train_on_noise(tmp_path / "four", noise_experiment(), num_updates=4).learner.state_dict()
    assert all(torch.equal(best["learner"][name], value) for name, value in four.items())


def scripted(monkeypatch, folder, means, experiment=None, **options):
    """A run with a validation every two updates and these validation means."""
    script = iter(means)
    with monkeypatch.context() as patch:
        patch.setattr(hooks, "score_episodes", lambda *arguments: [[next(script)] * 2])
        return train_on_noise(folder, experiment or noise_experiment(), num_updates=2 * len(means), **options)


def test_the_best_checkpoints_are_kept_best_first(tmp_path, monkeypatch):
    run, kept = RunDirectory(tmp_path), []
    write_ranking = RunDirectory.write_ranking

    def noted(self, ranking):
        write_ranking(self, ranking)
        kept.append([path.stem for path in self.ensemble_checkpoints()] if ranking else [])
        assert {path.stem for path in self.top.glob("*.pt")} >= set(kept[-1])

    monkeypatch.setattr(RunDirectory, "write_ranking", noted)
    state = scripted(monkeypatch, tmp_path, [0.2, 0.6, 0.4, 0.1, 0.6, 0.9], keep_best=3)
    assert kept == [
        [],
        ["update_2"],
        ["update_4", "update_2"],
        ["update_4", "update_6", "update_2"],
        ["update_4", "update_6", "update_2"],
        ["update_4", "update_10", "update_6"],
        ["update_12", "update_4", "update_10"],
    ]
    assert state.best == 0.9 and state.ranking == load_checkpoint(run.last)["ranking"] == {12: 0.9, 4: 0.6, 10: 0.6}
    assert {path.stem for path in run.top.glob("*.pt")} == set(kept[-1])
    best, first = load_checkpoint(run.best), load_checkpoint(run.ensemble_checkpoints()[0])
    assert (best["step"], first["step"]) == (12, 12) and first.keys() == {"learner", "step"}
    assert all(torch.equal(first["learner"][name], value) for name, value in best["learner"].items())


def test_one_checkpoint_is_kept_by_default(tmp_path, monkeypatch):
    scripted(monkeypatch, tmp_path, [0.2, 0.6, 0.4])
    assert [path.name for path in RunDirectory(tmp_path).top.glob("*.pt")] == ["update_4.pt"]
    assert load_checkpoint(RunDirectory(tmp_path).best)["step"] == 4


def regression_on_noise():
    """Squared errors of the class numbers."""
    learner = noise_learner(objective=Objective(squared, squared, SQUARED_ERROR))
    return noise_experiment(learner)


def squared(scores, targets):
    return (scores.mean(1) - targets).square().mean()


def test_of_errors_the_lowest_is_the_best(tmp_path, monkeypatch, capsys):
    run = RunDirectory(tmp_path)
    state = scripted(monkeypatch, tmp_path, [0.5, math.nan, 0.25, 0.375], regression_on_noise(), keep_best=3)
    assert (state.best, load_checkpoint(run.best)["step"]) == (0.25, 6)
    assert list(state.ranking) == [6, 8, 2]
    assert "update 8: validation 0.375±0.000, best 0.250\n" in capsys.readouterr().out
    train, validation = curves(run)[-2:]
    assert train.keys() >= {"loss", "squared error"} and "accuracy" not in train
    assert validation == {"step": 8, "group": "validation", "squared error": 0.375, "ci95": 0.0}


def test_a_validation_that_is_not_finite_ranks_last(tmp_path, monkeypatch):
    state = scripted(monkeypatch, tmp_path, [math.nan, 7.0], regression_on_noise())
    assert (state.best, load_checkpoint(RunDirectory(tmp_path).best)["step"]) == (7.0, 4)


def test_a_resumed_run_keeps_the_same_best_checkpoints(tmp_path):
    """Interrupted after validations that the last checkpoint lacks; their files are removed on resumption."""
    often = {"num_updates": 8, "checkpoint_every": 4, "validate_every": 1, "keep_best": 3}
    whole, cut = RunDirectory(tmp_path / "whole"), RunDirectory(tmp_path / "cut")
    train_on_noise(whole.path, noise_experiment(), **often)
    with pytest.raises(RuntimeError, match="power cut"):
        train_on_noise(cut.path, noise_experiment(change=power_cut(7)), **often)
    assert load_checkpoint(cut.last)["step"] == 4
    assert all(cut.top_file(update).exists() for update in load_checkpoint(cut.last)["ranking"])
    cut.top_file(7).write_bytes(b"written, not yet in the ranking")
    train_on_noise(cut.path, noise_experiment(), **often)
    assert_equal_runs(whole, cut)


def diverging(monkeypatch, folder, scores, experiment):
    """A run without updates whose validation gives these scores; None is an episode that diverged."""
    with monkeypatch.context() as patch:
        patch.setattr(hooks, "score_episodes", lambda *arguments: [scores])
        return train_on_noise(folder, experiment, num_updates=0, num_validation_episodes=len(scores))


def test_an_error_that_leaves_out_episodes_ranks_last_and_says_so(tmp_path, monkeypatch, capsys):
    run = RunDirectory(tmp_path)
    state = diverging(monkeypatch, tmp_path, [None, 0.5, None, 0.5], regression_on_noise())
    assert math.isnan(state.best) and json.loads(run.ranking.read_text()) == {"update_0.pt": None}
    said = capsys.readouterr().out
    assert "update 0: validation 0.500±0.000 (diverged 2 of 4), best -\n" in said
    assert "validation: diverged 2 of 4 (episodes 0, 2). Episodes that diverged" in said and "are left out" in said
    record = json.loads(run.metrics.read_text(), parse_constant=pytest.fail)
    assert (record["squared error"], record["diverged"]) == (0.5, 2)
    diverging(monkeypatch, tmp_path / "all", [None, None], regression_on_noise())
    record = json.loads((tmp_path / "all" / "metrics.jsonl").read_text(), parse_constant=pytest.fail)
    assert record["squared error"] is record["ci95"] is None and record["diverged"] == 2


def test_an_accuracy_counts_them_as_no_right_answer(tmp_path, monkeypatch, capsys):
    assert diverging(monkeypatch, tmp_path, [None, 1.0], noise_experiment()).best == 0.5
    assert "update 0: validation 50.00±69.30 % (diverged 1 of 2), best 50.00 %\n" in capsys.readouterr().out
