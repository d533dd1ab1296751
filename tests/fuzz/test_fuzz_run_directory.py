"""Fuzzing of the other files of a run directory: read, made again or refused in one line."""

import json
import shutil
from pathlib import Path

import pytest

from alfa_md.errors import UserError
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.main import _original
from alfa_md.reporting.summary import read_metrics
from alfa_md.training.metrics_log import current_lines
from tests.equal_runs import assert_equal_content
from tests.experiment.test_run_directory import CONFIG, FACTS, OWN, claimed
from tests.fuzz.fuzzing import examples, fuzz, mutated, parsed
from tests.fuzz.json_parts import restructured
from tests.noise import noise_experiment, train_on_noise

STEPS = {"train": 4, "validation": 4}
RECORDS = [
    {"step": 2, "group": "train", "loss": 1.5, "accuracy": 0.25, "gradient_norm": None, "seconds": 1.5},
    {"step": 4, "group": "validation", "accuracy": 0.75, "ci95": 0.1, "seconds": 2.0, "diverged": 1},
    {"step": 6, "group": "train", "loss": 0.5, "accuracy": 0.5},
]


@pytest.fixture
def run(tmp_path) -> RunDirectory:
    run = RunDirectory(tmp_path / "run")
    claimed(run, CONFIG, FACTS, OWN)
    return run


@examples(slow=3_000)
def test_facts(run, number):
    valid = run.facts() | {"pretrained": "/a/best.pt, update 5, hash abcd"}

    def check(data) -> None:
        run.facts_file.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
        before = run.facts_file.read_bytes()
        if parsed(claimed, run, CONFIG, FACTS, OWN) is None and parsed(run.facts) is None:
            assert run.facts_file.read_bytes() == before  # what is refused is kept

    fuzz(check, mutated([json.dumps(valid, indent=1).encode()]) | restructured(valid), number)


@examples(slow=2_000)
def test_configurations(run, number):
    def check(data: bytes) -> None:
        run.config.write_bytes(data)
        parsed(claimed, run, CONFIG, FACTS, OWN)
        assert run.config.read_bytes() == data

    fuzz(check, mutated([CONFIG.encode()]), number)


def jsonl(rows: list) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@examples(slow=4_000)
def test_metrics(tmp_path, number):
    path = tmp_path / "metrics.jsonl"

    def check(data) -> None:
        path.write_bytes(data if isinstance(data, bytes) else jsonl(data if isinstance(data, list) else [data]))
        for line in parsed(current_lines, path, STEPS) or []:
            assert json.loads(line)["step"] <= 4
        parsed(read_metrics, path)

    fuzz(check, mutated([jsonl(RECORDS)]) | restructured(RECORDS), number)


@examples(slow=2_000)
def test_rankings_of_the_best_checkpoints(run, number):
    run.top.mkdir()
    valid = {"update_4.pt": 0.75, "update_10.pt": 0.5, "update_2.pt": None}

    def check(data) -> None:
        run.ranking.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
        files = parsed(run.ensemble_checkpoints)
        assert files is None or all(file.parent == run.top for file in files)

    fuzz(check, mutated([json.dumps(valid).encode()]) | restructured(valid), number)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    train_on_noise(folder, noise_experiment(), keep_best=2)
    return folder


def removed(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def emptied(path: Path) -> None:
    removed(path)
    path.write_bytes(b"")


def folder_instead(path: Path) -> None:
    removed(path)
    path.mkdir()


def garbage(path: Path) -> None:
    removed(path)
    path.write_bytes(b"\x80\xff\x00 {[ garbage \n\n" * 9)


def link_to_nowhere(path: Path) -> None:
    removed(path)
    path.symlink_to("nowhere")


@pytest.mark.parametrize("damage", [removed, emptied, folder_instead, garbage, link_to_nowhere])
def test_every_file_and_folder_replaced_by_something_else(whole, tmp_path, damage):
    """The run goes on and ends with the same weights, or ends in one line; OSErrors with a file name become one."""
    expected = train_on_noise(whole, noise_experiment(), keep_best=2)
    for number, place in enumerate(sorted(path.relative_to(whole) for path in whole.rglob("*"))):
        run = Path(shutil.copytree(whole, tmp_path / str(number)))
        damage(run / place)
        try:
            state = train_on_noise(run, noise_experiment(), keep_best=2)
        except UserError as error:
            assert str(error).splitlines()[0].isprintable()  # gin appends lines, which commands leave out
        except OSError as error:
            assert _original(error).filename is not None, place
        else:
            assert_equal_content(state.learner.state_dict(), expected.learner.state_dict())
        shutil.rmtree(run)
