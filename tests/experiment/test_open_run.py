"""One call opens a run: the weights that training kept, for a notebook as for the commands."""

import json
import shutil

import gin
import pytest
import torch

import alfa_md
from alfa_md.errors import UserError
from alfa_md.evaluation.scores import score_episodes
from alfa_md.experiment.checkpoint import load_checkpoint
from tests.entries.harness import needs_tensorflow
from tests.noise import CPU
from tests.shared import ROOT

STORED = ROOT / "tests" / "stored_runs" / "sine"


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


@pytest.mark.parametrize("checkpoint", ["best", "last"])
def test_the_learner_has_the_weights_of_the_checkpoint(checkpoint):
    opened = alfa_md.open_run(STORED, checkpoint)
    content = load_checkpoint(STORED / "checkpoints" / f"{checkpoint}.pt")
    assert opened.updates == content["step"] and opened.facts["name"] == "table8_alfa_maml"
    assert all(torch.equal(tensor, content["learner"][name]) for name, tensor in opened.learner.state_dict().items())
    assert not opened.learner.training


def test_its_episodes_are_those_of_an_evaluation():
    opened = alfa_md.open_run(str(STORED), "last")
    (found,) = score_episodes(opened.learner, opened.source(), range(3), CPU)
    expected = (STORED / "scores_of_last.json").read_text()
    assert found == pytest.approx(json.loads(expected)["sine"], rel=1e-3)
    assert opened.source("sine", "valid", seed=1).episode(2).name == "sine valid episode 2 of seed 1"


def test_initial_weights_and_bindings():
    first, second = (alfa_md.open_run(STORED, None, gin_bindings=["Points.shots = 3"]) for _ in range(2))
    assert first.updates == 0 and len(first.source().episode(0).support_y) == 3
    tensors = zip(first.learner.parameters(), second.learner.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in tensors)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match="is not a run directory"):
        alfa_md.open_run(tmp_path)
    shutil.copytree(STORED, tmp_path / "run")
    with pytest.raises(UserError, match="missing.pt does not exist"):
        alfa_md.open_run(tmp_path / "run", str(tmp_path / "missing.pt"))
    with pytest.raises(AttributeError, match="has no attribute 'open_runs'"):
        alfa_md.open_runs  # noqa: B018


@needs_tensorflow
def test_images_come_as_the_learner_takes_them():
    opened = alfa_md.open_run(STORED.parent / "plain", "last")
    episode = opened.episode(0, "omniglot")
    assert episode.support_x.dtype == torch.float32 and episode.name == "omniglot test episode 0 of seed 0"
    assert opened.learner(episode).shape == (len(episode.query_y), episode.way)
