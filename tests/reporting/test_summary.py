"""Reading of run directories: complete, just started, active, damaged."""

import json
import re

import pytest

from alfa_md.errors import UserError
from alfa_md.metrics import SQUARED_ERROR
from alfa_md.reporting.summary import read_runs, run_labels
from tests.runs import write_metrics, write_results, write_run

CONFIG = "train.num_updates = 1000\nExperiment.learner = @PrototypicalLearner()\n"


@pytest.fixture
def folder(tmp_path):
    return write_run(tmp_path / "run", CONFIG)


def one(folder):
    (summary,) = read_runs([str(folder)])
    return summary


def test_a_finished_run(folder):
    write_metrics(folder, 1000, peak_memory=2**30)
    write_results(folder, "test", [0.5] * 10)
    write_results(folder, "test-pixel", [0.4] * 10)
    run = one(folder)
    assert (run.label, run.updates, run.total) == ("run", 1000, 1000)
    assert len(run.train) == 10 and len(run.validation) == 2
    assert run.best == run.validation[1] and run.best["step"] == 1000
    assert run.last("seconds") == 500 and run.last("peak_memory") == 2**30 and run.last("nothing") is None
    assert set(run.results) == {"", "pixel"}


def test_a_run_that_has_just_begun(folder):
    run = one(folder)
    assert (run.updates, run.total, run.best, run.last("seconds")) == (0, 1000, None, None)
    assert run.train == run.validation == [] and run.results == {}


def test_the_first_of_equal_validations_is_the_best(folder):
    lines = [{"step": step, "group": "validation", "accuracy": 0.5} for step in (1, 2)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert one(folder).best["step"] == 1


def test_the_lowest_error_is_the_best(folder):
    lines = [{"step": step, "group": "validation", "squared error": 0.5 - 0.1 * (step == 2)} for step in (1, 2, 3)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert one(folder).best["step"] == 2 and one(folder).unit == SQUARED_ERROR


def test_half_a_last_line_is_passed_over(folder):
    write_metrics(folder, 300)
    with open(folder / "metrics.jsonl", "a") as file:
        file.write('{"step": 400, "group": "tr')
    assert one(folder).updates == 300


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '"step"', "null", '{"group": "train"}', '{"step": 1}', '{"step": "one", "group": "train"}']
    + ['{"step": 1, "group": "validation"}', '{"step": 1, "group": "train", "loss": [1]}'],
)
def test_a_damaged_line_is_named(folder, line):
    write_metrics(folder, 200)
    file = folder / "metrics.jsonl"
    file.write_text(file.read_text() + line + "\n" + '{"step": 400, "group": "train"}\n')
    with pytest.raises(UserError, match=re.escape(f"{file}, line 3 is damaged; delete that line")):
        one(folder)


def test_results_of_other_conditions_and_other_splits_are_left_out(folder):
    for stem in ("test", "test.1", "test-last", "test-pixel.2", "valid", "test-last-pixel"):
        write_results(folder, stem, [0.5] * 10)
    assert set(one(folder).results) == {"", "last", "last-pixel"}


@pytest.mark.parametrize("content", ["{", "[]", '{"protocol": {"a": 1}, "sources": {"dtd": {}}}'])
def test_a_damaged_results_file_is_named(folder, content):
    (folder / "results" / "test.json").write_text(content)
    with pytest.raises(UserError, match="test.json is not a results file of this package"):
        one(folder)


def test_what_is_no_run_directory_is_refused(tmp_path):
    with pytest.raises(UserError, match="nowhere is not a run directory"):
        read_runs([str(tmp_path / "nowhere")])


def test_labels_are_as_short_as_they_can_be(tmp_path):
    assert run_labels([tmp_path / "runs/a", tmp_path / "runs/b"]) == ["a", "b"]
    assert run_labels([tmp_path / "maml/seed0"]) == ["maml/seed0"]
    assert run_labels([tmp_path / "maml/one", tmp_path / "proto/one"]) == ["maml/one", "proto/one"]


def test_the_same_run_counts_once(folder):
    assert len(read_runs([str(folder), f"{folder}/", str(folder / ".." / "run")])) == 1


def test_a_configuration_without_number_of_updates_has_no_total(tmp_path):
    assert one(write_run(tmp_path / "run", "A.b = 1\n")).total is None
