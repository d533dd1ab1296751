"""Extension of runs: equal to a longer run where the schedule allows it, refused otherwise."""

from functools import partial

import pytest
from torch.optim.lr_scheduler import LambdaLR

from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.training.schedules import cosine_decay, flat
from tests.equal_runs import assert_equal_content
from tests.noise import HALVED, noise_experiment, train_on_noise


def warm_up_then_down(optimizer, num_updates):
    """Constant for 8 updates, then falling to the end: depends on the length after update 8 alone."""
    return LambdaLR(optimizer, lambda update: 1.0 if update < 8 else 1 - (update - 8) / (num_updates - 8))


def trained(folder, num_updates, schedule=HALVED):
    """Trains for `num_updates`; its config.gin says so, as gin would write it."""
    text = f"train.num_updates = {num_updates}\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("alfa_md.experiment.config.operative", lambda: text)
        return train_on_noise(folder, noise_experiment(), num_updates=num_updates, schedule=schedule)


def last(folder) -> dict:
    content = load_checkpoint(RunDirectory(folder).last)
    return {key: value for key, value in content.items() if key != "spent"}


@pytest.mark.parametrize("schedule", [flat, HALVED, warm_up_then_down])
def test_an_extended_run_ends_as_a_long_one(tmp_path, capsys, schedule):
    trained(tmp_path / "extended", 6, schedule)
    trained(tmp_path / "extended", 14, schedule)
    assert "train.num_updates: 6 -> 14: the run is extended" in capsys.readouterr().out
    trained(tmp_path / "long", 14, schedule)
    assert_equal_content(last(tmp_path / "extended"), last(tmp_path / "long"))
    assert RunDirectory(tmp_path / "extended").config.read_text() == "train.num_updates = 14\n"


@pytest.mark.parametrize("schedule", [cosine_decay, warm_up_then_down])
def test_rates_that_depend_on_the_length_are_refused_and_nothing_is_changed(tmp_path, schedule):
    trained(tmp_path, 12, schedule)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match="12 -> 13: .* cannot be extended: .* rates of its first 12 updates depend"):
        trained(tmp_path, 13, schedule)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_run_without_updates_is_extended_under_every_schedule(tmp_path):
    trained(tmp_path / "extended", 0, cosine_decay)
    trained(tmp_path / "extended", 6, cosine_decay)
    trained(tmp_path / "long", 6, cosine_decay)
    one, other = last(tmp_path / "extended"), last(tmp_path / "long")
    for key in ("learner", "optimizer", "schedule"):
        assert_equal_content(one[key], other[key])


def test_a_run_is_not_shortened(tmp_path):
    trained(tmp_path, 6)
    with pytest.raises(UserError, match="another configuration .train.num_updates: 6 -> 4"):
        trained(tmp_path, 4)


def test_checkpoints_beyond_the_end_are_refused(tmp_path):
    partial(trained, num_updates=6)(tmp_path)
    RunDirectory(tmp_path).extend(4)
    with pytest.raises(UserError, match="has done 6 updates, more than train.num_updates = 4: its checkpoints are of"):
        trained(tmp_path, 4)
