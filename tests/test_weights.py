"""The published weights: small, with a card that tells their measured results, and evaluated with these results."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gin
import pytest

from alfa_md.data.convert import planner
from alfa_md.data.spec import save_spec
from alfa_md.data.tfrecord.records import encode_example, write_records
from alfa_md.experiment.open_run import open_run
from alfa_md.metrics import ACCURACY, SQUARED_ERROR
from tests.entries.harness import copied, needs_tensorflow, run_entry
from tests.omniglot_folders import unpack_omniglot
from tests.shared import ROOT, shared_data

WEIGHTS = ROOT / "weights"
FOLDERS = sorted(path.parent for path in WEIGHTS.glob("*/model.safetensors"))
LARGEST = 3 * 2**20  # bytes of all together
UNITS = {unit.name: unit for unit in (ACCURACY, SQUARED_ERROR)}

every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])


@pytest.fixture(autouse=True)
def clean_gin() -> Iterator[None]:
    yield
    gin.clear_config()


def measured(folder: Path) -> dict:
    return json.loads((folder / "measured" / "test.json").read_text())


def test_there_are_two_and_they_are_small():
    assert [folder.name for folder in FOLDERS] == ["omniglot_proto_maml_alfa", "sine_alfa_maml"]
    page = (WEIGHTS / "README.md").read_text()
    assert all(f"`{folder.name}`" in page for folder in FOLDERS)
    assert sum(path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file()) < LARGEST


@every_folder
def test_the_card_has_the_measured_table_and_the_configuration_opens(folder):
    card, content = (folder / "README.md").read_text(), measured(folder)
    unit = UNITS[content["protocol"]["unit"]]
    for source, record in content["sources"].items():
        assert record["episodes"] == 600 and len(record["fingerprint"]) == 16
        assert f"| {source} | {unit.text(unit.mean(record['scores']))} | 600 |" in card
    opened = open_run(folder)
    assert f"for {opened.updates} outer updates" in card and f"| model.safetensors | hash {opened.hash} |" in card
    assert not re.search(r"['\"= (](/|~)\w", card + (folder / "config.gin").read_text())


@every_folder
def test_the_stored_measurement_of_its_row_is_about_the_same(folder):
    """Trained again by the command of results/COMMANDS.md; the intervals overlap."""
    stored = {"omniglot_proto_maml_alfa": "omniglot/ALFA-long", "sine_alfa_maml": "sine/2x40-k10-alfa"}[folder.name]
    rows = json.loads((ROOT / "results" / f"{stored}-seed0.json").read_text())
    for source, record in measured(folder)["sources"].items():
        before = rows["sources"][source]
        assert abs(record["mean"] - before["mean"]) < before["ci95"]
        command = shlex.split(json.loads((folder / "run.json").read_text())["command"])
        given = {word.split("=", 1)[1] for word in command if word.startswith("--gin_bindings=")}
        assert len(given) == len(rows["bindings"])


def test_the_sine_weights_give_their_scores(tmp_path):
    copied(WEIGHTS / "sine_alfa_maml", tmp_path / "sine")
    assert run_entry("evaluate", "--run_dir=sine", "--num_episodes=20", "--device=cpu", cwd=tmp_path).code == 0
    found = json.loads((tmp_path / "sine" / "results" / "test.json").read_text())["sources"]["sine"]["scores"]
    assert found == pytest.approx(measured(WEIGHTS / "sine_alfa_maml")["sources"]["sine"]["scores"][:20], rel=0.02)


@pytest.mark.slow
@needs_tensorflow
def test_the_omniglot_weights_give_their_scores(tmp_path):
    """Three episodes on records of their classes alone, written from the complete Omniglot."""
    folder, number = WEIGHTS / "omniglot_proto_maml_alfa", 3
    unpack_omniglot(shared_data("omniglot.npz"), tmp_path / "original")
    plan = planner("omniglot")(tmp_path / "original")
    spec = replace(plan.spec, path=tmp_path / "records" / "omniglot")
    save_spec(spec, spec.path)
    source = open_run(folder, None, str(tmp_path / "records")).source("omniglot")
    for class_id in {chosen.class_id for index in range(number) for chosen in source.draw(index)}:
        examples = (encode_example(image, class_id) for image in plan.images(class_id))
        write_records(spec.class_file(class_id), examples)
    copied(folder, tmp_path / "run")
    flags = ["--run_dir=run", f"--num_episodes={number}", "--records_root_dir=records", "--device=cpu"]
    assert run_entry("evaluate", *flags, cwd=tmp_path).code == 0
    found = json.loads((tmp_path / "run" / "results" / "test.json").read_text())["sources"]["omniglot"]["scores"]
    expected = measured(folder)["sources"]["omniglot"]["scores"][:number]
    assert found == pytest.approx(expected, abs=0.03)  # a query image or two on another processor
