"""Pretraining: run first in its own folder, reused, or taken from another run; with its stamp."""

import json
from pathlib import Path

import pytest
import torch

from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from tests.entries.harness import TINY, bindings, contents, needs_tensorflow, run_entry
from tests.runs import file_hash

pytestmark = needs_tensorflow

RECIPE = """
include 'gin/pretrain_imagenet_convnet.gin'
include 'gin/quickstart.gin'
"""
SMALL = ("NUM_FEATURES = 4", "batches.batch_size = 8", "train.num_updates = 4")
FROZEN = "train.learning_rate = 0.0"  # what it starts from is what it ends with


@pytest.fixture
def recipe(tmp_path) -> Path:
    """A tiny pretraining, as a gin file."""
    file = tmp_path / "recipe.gin"
    file.write_text(RECIPE + "\n".join([*TINY, *SMALL]) + "\n")
    return file


@pytest.fixture
def train(tmp_path, root):
    """Trains a small fo-Proto-MAML + ALFA with these bindings."""
    return lambda run, *lines: run_entry(
        "train", *bindings(*lines), f"--records_root_dir={root}", f"--run_dir={run}", cwd=tmp_path
    )


def backbone(path: Path) -> dict:
    tensors = load_checkpoint(path)["learner"]
    return {name: tensor for name, tensor in tensors.items() if name.startswith("backbone.")}


def assert_same_backbone(a: Path, b: Path) -> None:
    one, two = backbone(a), backbone(b)
    assert one.keys() == two.keys() and len(one) == 12
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_pretraining_comes_first_and_gives_the_backbone(tmp_path, train, recipe):
    outcome = train("run", FROZEN, f"PRETRAINED = '{recipe}'")
    assert outcome.code == 0, outcome
    run, pretrained = RunDirectory(tmp_path / "run"), RunDirectory(tmp_path / "run" / "pretrain")
    assert load_checkpoint(pretrained.last)["step"] == 4 and "learner" in load_checkpoint(pretrained.best)
    assert_same_backbone(run.last, pretrained.best)
    stamp = run.facts()["pretrained"]
    step = load_checkpoint(pretrained.best)["step"]
    assert stamp == f"{pretrained.best}, update {step}, hash {file_hash(pretrained.best)}"
    assert f"Pretrained: {stamp}" in outcome.out
    names = load_checkpoint(run.last)["learner"].keys()
    assert not any(name.startswith("classifier.") for name in names) and any("rule." in name for name in names)


def test_a_complete_pretraining_is_reused_and_a_begun_run_needs_it_no_more(tmp_path, train, recipe):
    line = f"PRETRAINED = '{recipe}'"
    assert train("run", line).code == 0
    run, folder = RunDirectory(tmp_path / "run"), tmp_path / "run" / "pretrain"
    checkpoints = {name: data for name, data in contents(folder).items() if name.startswith("checkpoints/")}
    run.config.unlink()
    run.last.unlink()
    assert train("run", line).code == 0
    assert {name: contents(folder)[name] for name in checkpoints} == checkpoints
    before = run.last.read_bytes()
    for file in sorted(folder.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    again = train("run", line)
    assert again.code == 0 and run.last.read_bytes() == before and not any(folder.iterdir())


def test_a_run_killed_before_its_first_checkpoint_starts_from_the_backbone_again(tmp_path, train, recipe):
    line = f"PRETRAINED = '{recipe}'"
    assert train("run", line).code == 0
    run = RunDirectory(tmp_path / "run")
    before = load_checkpoint(run.last)["learner"]
    run.last.unlink()
    assert train("run", line).code == 0
    after = load_checkpoint(run.last)["learner"]
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_finished_run_or_one_of_its_files_may_be_taken(tmp_path, train, recipe):
    assert train("first", f"PRETRAINED = '{recipe}'").code == 0
    best = tmp_path / "first" / "pretrain" / "checkpoints" / "best.pt"
    for name, value in (("folder", best.parents[1]), ("file", best)):
        assert train(name, FROZEN, f"PRETRAINED = '{value}'").code == 0
        assert not (tmp_path / name / "pretrain").exists()
        assert_same_backbone(RunDirectory(tmp_path / name).last, best)
        assert RunDirectory(tmp_path / name).facts()["pretrained"].startswith(f"{best}, update ")


def test_where_a_run_started_from_is_in_its_results(tmp_path, train, root):
    assert train("run", "PRETRAINED = None").code == 0
    flags = ["--run_dir=run", f"--records_root_dir={root}", "--sources=omniglot", "--num_episodes=2"]
    assert run_entry("evaluate", *flags, cwd=tmp_path).code == 0
    protocol = json.loads((tmp_path / "run" / "results" / "test.json").read_text())["protocol"]
    assert protocol["pretrained"] == RunDirectory(tmp_path / "run").facts()["pretrained"] == "no: from scratch"


def test_a_pretraining_is_evaluated_as_nearest_neighbour(tmp_path, root, recipe):
    flags = [f"--gin_config={recipe}", f"--records_root_dir={root}", "--run_dir=run"]
    assert run_entry("train", *flags, cwd=tmp_path).code == 0
    flags = ["--run_dir=run", "--sources=omniglot", "--num_episodes=2", "--baselines=feature"]
    assert run_entry("evaluate", *flags, cwd=tmp_path).code == 0
    one, two = (
        json.loads((tmp_path / "run" / "results" / name).read_text()) for name in ("test.json", "test-feature.json")
    )
    assert one["protocol"]["learner"] == "BaselineLearner"
    assert len(one["sources"]["omniglot"]["scores"]) == len(two["sources"]["omniglot"]["scores"]) == 2


@pytest.mark.parametrize(
    "value, message",
    [
        ("'nowhere'", "Experiment.pretrained = 'nowhere' is no run directory, checkpoint file or gin file"),
        ("'gin/nowhere.gin'", "gin file not found: gin/nowhere.gin"),
        ("('a', 'b')", "Experiment.pretrained = ('a', 'b') is no run directory"),
    ],
)
def test_a_pretraining_that_is_not_there(tmp_path, train, value, message):
    assert message in train("new", f"PRETRAINED = {value}").error
    assert not (tmp_path / "new").exists()


def test_a_pretraining_of_another_network(tmp_path, train, recipe, trained):
    wide = "FourLayerConvNet.num_filters = 5"
    error = train("new", wide, f"PRETRAINED = '{trained}'").error
    assert "best.pt is not of this configuration's FourLayerConvNet: size mismatch" in error
    assert not (tmp_path / "new" / "config.gin").exists()
