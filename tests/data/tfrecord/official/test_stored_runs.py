"""Readers and decoders switched on stored runs, those of older versions included."""

import json
from pathlib import Path

import pytest

from tests.entries.harness import bindings, copied, run_entry, write_root
from tests.shared import ROOT

pytestmark = pytest.mark.usefixtures("tf")
OFFICIAL, OWN, TENSORFLOW = "reader = @official", "reader = @records", "decoder = @tensorflow()"


@pytest.fixture(scope="module")
def small_root(tmp_path_factory) -> Path:
    return write_root(tmp_path_factory.mktemp("small"))


def evaluate(folder: Path, root: Path, *lines: str):
    """The outcome of an evaluation of folder/run under bindings, and what it stored about the data."""
    flags = ["--run_dir=run", "--checkpoint=last", "--sources=omniglot", "--num_episodes=2", "--name=switched"]
    switched = [f"--gin_bindings={line}" for line in lines]
    outcome = run_entry("evaluate", *flags, f"--records_root_dir={root}", *switched, cwd=folder)
    file = folder / "run" / "results" / "test-last-switched.json"
    return outcome, json.loads(file.read_text())["sources"]["omniglot"]["data"] if file.exists() else None


def test_a_run_is_switched_to_another_reader_and_decoder(tmp_path, small_root, stand_in):
    given = [*bindings(), f"--records_root_dir={small_root}", "--run_dir=run"]
    assert run_entry("train", *given, cwd=tmp_path).code == 0
    assert evaluate(tmp_path, small_root, OFFICIAL)[1]["reader"] == "official"
    assert "reader" not in evaluate(tmp_path, small_root, TENSORFLOW)[1]
    assert [request["image_size"] for request in stand_in()][-1] == 16


def test_a_run_of_the_official_reader_is_switched_to_ours(tmp_path, small_root, stand_in):
    given = [*bindings(OFFICIAL), f"--records_root_dir={small_root}", "--run_dir=run"]
    assert run_entry("train", *given, cwd=tmp_path).code == 0
    outcome, data = evaluate(tmp_path, small_root, OWN, TENSORFLOW)
    assert outcome.code == 0 and "reader" not in data, outcome


def test_a_run_of_an_older_version_names_the_part_to_add(tmp_path, small_root, stand_in):
    copied(ROOT / "tests" / "stored_runs" / "plain", tmp_path / "run")
    error = evaluate(tmp_path, small_root, OFFICIAL)[0].error
    assert error.startswith("Required bindings for `official` not provided in config: ['image_size']; add ")
    part = error.split('--gin_bindings="')[1].split('"')[0]
    outcome, data = evaluate(tmp_path, small_root, part, OFFICIAL)
    assert outcome.code == 0 and data["reader"] == "official", outcome
