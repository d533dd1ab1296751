"""The metrics log: appended, truncated when an earlier checkpoint is resumed, the same in TensorBoard."""

import json
import math
import subprocess
import sys
import time

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from alfa_md.errors import UserError
from alfa_md.training.metrics_log import MetricsLog


@pytest.fixture
def opened(tmp_path):
    """Opens the log of one run directory at a step."""

    def log(step: int, validated: int | None = None) -> MetricsLog:
        steps = {"train": step, "validation": step if validated is None else validated}
        return MetricsLog(tmp_path / "metrics.jsonl", tmp_path / "tensorboard", steps)

    return log


def written(tmp_path):
    return [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]


def test_one_line_a_record(tmp_path, opened):
    log = opened(0)
    log.write(1, "train", loss=0.5, accuracy=0.25)
    assert written(tmp_path) == [{"step": 1, "group": "train", "loss": 0.5, "accuracy": 0.25}]  # at once, unclosed
    log.write(1, "validation", accuracy=0.75)
    log.close()
    assert written(tmp_path)[1:] == [{"step": 1, "group": "validation", "accuracy": 0.75}]


def test_going_on_drops_what_came_after_the_checkpoint(tmp_path, opened):
    first = opened(0)
    for step in (1, 2, 3):
        first.write(step, "train", loss=float(step))
    first.close()
    second = opened(2)
    second.write(3, "train", loss=30.0)
    second.close()
    assert [record["loss"] for record in written(tmp_path)] == [1.0, 2.0, 30.0]


def test_a_validation_that_will_be_repeated_is_dropped(tmp_path, opened):
    log = opened(0)
    for step in (1, 2):
        log.write(step, "train", loss=float(step))
        log.write(step, "validation", accuracy=float(step))
    log.close()
    opened(2, validated=1).close()
    assert [(r["step"], r["group"]) for r in written(tmp_path)] == [(1, "train"), (1, "validation"), (2, "train")]


def test_half_a_line_of_a_killed_run_is_dropped(tmp_path, opened):
    log = opened(0)
    log.write(1, "train", loss=1.0)
    log.close()
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"step": 2, "gro')
    again = opened(1)
    again.write(2, "train", loss=2.0)
    again.close()
    assert [record["loss"] for record in written(tmp_path)] == [1.0, 2.0]


@pytest.mark.parametrize("line", ["\0\0\0", '{"step": 1}', "[]", '{"step": "1", "group": "train"}', "1"])
def test_a_damaged_line_is_named_and_nothing_written_over(tmp_path, opened, line):
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 1, "group": "train", "loss": 1.0}\n' + line + "\n")
    with pytest.raises(UserError, match="metrics.jsonl, line 2 is damaged; delete that line and run this again"):
        opened(1)
    assert file.read_text().endswith(line + "\n")


def test_opening_at_the_last_step_changes_nothing(tmp_path, opened):
    log = opened(0)
    log.write(1, "train", loss=1.0)
    log.close()
    before = (tmp_path / "metrics.jsonl").read_bytes()
    opened(1).close()
    assert (tmp_path / "metrics.jsonl").read_bytes() == before


def test_tensorboard_shows_the_same_numbers(tmp_path, opened):
    for start, values in ((0, {1: 1.0, 2: 2.0, 3: 3.0}), (2, {3: 30.0})):
        log = opened(start)
        for step, value in values.items():
            log.write(step, "train", loss=value)
        log.close()
        time.sleep(1.1)  # files are ordered by the second in their names
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("train/loss")] == [(1, 1.0), (2, 2.0), (3, 30.0)]


def test_tensorboard_does_not_bring_tensorflow(tmp_path):
    code = (
        "import sys; from pathlib import Path; from alfa_md.training.metrics_log import MetricsLog\n"
        "log = MetricsLog(Path('metrics.jsonl'), Path('tensorboard'), {'train': 0})\n"
        "log.write(1, 'train', loss=1.0); log.close()\n"
        "print('tensorflow' in sys.modules)"
    )
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_values_that_are_not_finite_are_null_in_strict_json(tmp_path, opened):
    log = opened(0)
    log.write(1, "validation", accuracy=math.nan, ci95=math.inf, diverged=2)
    log.close()
    line = (tmp_path / "metrics.jsonl").read_text()
    expected = {"step": 1, "group": "validation", "accuracy": None, "ci95": None, "diverged": 2}
    assert json.loads(line, parse_constant=pytest.fail) == expected
