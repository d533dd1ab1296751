"""Checkpoints with the right outer form and wrong parts: refused in one line, and the one before is taken."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from alfa_md.errors import UserError
from tests.equal_runs import assert_equal_content
from tests.experiment.test_checkpoint import trained_state

Change = Callable[[dict], object]


def put(value: object, *keys: object) -> Change:
    """Replaces the value at a place of the content."""

    def change(content: dict) -> None:
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return change


def drop(*keys: object) -> Change:
    """Removes the value at a place of the content."""

    def change(content: dict) -> None:
        for key in keys[:-1]:
            content = content[key]
        del content[keys[-1]]

    return change


MOMENTS = ("optimizer", "state", 0)
GROUP = ("optimizer", "param_groups", 0)
ROWS = {
    "no second moment": (drop(*MOMENTS, "exp_avg_sq"), "its optimiser lacks some of step, exp_avg, exp_avg_sq of par"),
    "a moment of another shape": (put(torch.ones(3), *MOMENTS, "exp_avg"), "moments of another shape for parameter 0"),
    "a moment of another type": (
        lambda content: put(content["optimizer"]["state"][0]["exp_avg"].float(), *MOMENTS, "exp_avg")(content),
        "moments of another shape",
    ),
    "a moment that is no tensor": (put([1.0], *MOMENTS, "exp_avg"), "moments of another shape"),
    "a moment that is sparse": (put(torch.ones(2, 2).to_sparse(), *MOMENTS, "exp_avg"), "moments of another shape"),
    "no number of updates": (put(1, *MOMENTS, "step"), "no number of updates of parameter 0"),
    "moments of unknown parameters": (put({}, "optimizer", "state", 99), "moments of other parameters"),
    "no moments": (put({}, "optimizer", "state"), "its optimiser has no moments"),
    "no state of the optimiser": (put([], "optimizer", "state"), "its optimiser has no state"),
    "no optimiser": (put(None, "optimizer"), "its optimiser has no state"),
    "no groups": (put(3, "optimizer", "param_groups"), "no groups of parameters"),
    "groups that are none": (put([1, 2], "optimizer", "param_groups"), "no groups of parameters"),
    "a group of other parameters": (put([7], *GROUP, "params"), "trained with other tensors frozen"),
    "a group of tensors": (put(torch.ones(3), *GROUP, "params"), "its optimiser does not number its parameters"),
    "a group without a rate": (drop(*GROUP, "lr"), "its learning rate is no number"),
    "another rate": (put(0.5, *GROUP, "lr"), "its schedule is that of another update"),
    "no schedule": (put(None, "schedule"), "its schedule lacks last_epoch or _last_lr"),
    "a schedule without its place": (drop("schedule", "last_epoch"), "its schedule lacks last_epoch or _last_lr"),
    "a schedule of another update": (put(7, "schedule", "last_epoch"), "its schedule is that of another update"),
    "a word in the schedule": (put("fast", "schedule", "gamma"), "its schedule has another gamma"),
    "rates of other groups": (put([1.0], "schedule", "_last_lr"), "its schedule has another _last_lr"),
    "a short random state": (lambda c: put(c["rng"][:100], "rng")(c), "its random generator has another size"),
    "a random state of zeros": (lambda c: c["rng"].zero_(), "state of its random generator is invalid"),
    "a random state of floats": (lambda c: put(c["rng"].float(), "rng")(c), "random generator has another size"),
    "a step that is a word": (put("2", "step"), "is not a checkpoint of this package"),
    "a negative step": (put(-2, "step"), "is not a checkpoint of this package"),
    "a validation to come": (put(9, "validated"), "its last validation is of no update so far"),
    "a ranking of words": (put({"a": 0.5}, "ranking"), "its ranking is not one of its validations"),
    "a ranking that is a list": (put([2], "ranking"), "its ranking is not one of its validations"),
    "a best that is a word": (put("good", "best"), "its best validation is no number"),
    "seconds that are words": (put({"seconds": "1"}, "spent"), "the seconds spent are no numbers"),
    "no learner": (put(None, "learner"), "is not a checkpoint of this package"),
    "a tensor that is none": (put(1, "learner", "backbone.0.weight"), "is not a checkpoint of this package"),
    "a tensor that is missing": (drop("learner", "backbone.0.weight"), "is not of this configuration's"),
    "a tensor of another shape": (put(torch.ones(2), "learner", "backbone.0.weight"), "is not of this configuration's"),
    "whole numbers for weights": (
        lambda c: put(c["learner"]["backbone.0.weight"].long(), "learner", "backbone.0.weight")(c),
        "backbone.0.weight is of type torch.int64, not",
    ),
    "a part that is missing": (drop("spent"), "lacks spent; a run cannot go on from it: remove it"),
    "a part too many": (put(1, "more"), "is not a checkpoint of this package"),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """A folder with the states after one and after two updates."""
    folder = tmp_path_factory.mktemp("saved")
    trained_state(1).save(folder / "previous.pt")
    trained_state(2).save(folder / "last.pt")
    return folder


@pytest.mark.parametrize(("change", "named"), ROWS.values(), ids=ROWS)
def test_a_wrong_part_is_named_and_the_previous_checkpoint_is_taken(saved, tmp_path, change, named):
    last, previous = tmp_path / "last.pt", saved / "previous.pt"
    content = torch.load(saved / "last.pt", weights_only=True)
    change(content)
    torch.save(content, last)
    with pytest.raises(UserError, match=named) as caught:
        trained_state(0).restore(last)
    assert str(last) in str(caught.value) and "\n" not in str(caught.value)
    state, untouched = trained_state(0), trained_state(0)
    assert list(state.restore_first([last, previous])) == [last]
    untouched.restore(previous)
    for one, other in ((state.learner, untouched.learner), (state.optimizer, untouched.optimizer)):
        assert_equal_content(one.state_dict(), other.state_dict())
    assert state.schedule.state_dict() == untouched.schedule.state_dict() and state.step == 1


def test_a_state_before_the_first_update_has_no_moments(tmp_path):
    trained_state(0).save(tmp_path / "last.pt")
    state = trained_state(0)
    state.restore(tmp_path / "last.pt")
    assert state.step == 0 and not state.optimizer.state


def test_options_of_the_optimiser_are_those_of_the_configuration(tmp_path):
    """A checkpoint cannot switch on what the configuration does not say."""
    path = tmp_path / "last.pt"
    trained_state().save(path)
    content = torch.load(path, weights_only=True)
    for group in content["optimizer"]["param_groups"]:
        group.update(maximize=True, amsgrad=True, weight_decay=9.0)
    torch.save(content, path)
    state = trained_state(0)
    state.restore(path)
    assert not any(group["maximize"] or group["amsgrad"] for group in state.optimizer.param_groups)
    assert state.optimizer.param_groups[0]["weight_decay"] == 2e-3


def test_states_of_other_versions_of_pytorch_are_taken(tmp_path):
    """They lack some entries of schedule and groups, and have others."""
    path = tmp_path / "last.pt"
    trained_state().save(path)
    content = torch.load(path, weights_only=True)
    content["schedule"]["verbose"] = content["schedule"].pop("_is_initial")
    content["optimizer"]["param_groups"][0].pop("decoupled_weight_decay")
    torch.save(content, path)
    state = trained_state(0)
    state.restore(path)
    assert state.step == 1
