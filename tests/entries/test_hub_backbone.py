"""A model that transformers saved, from a gin file through training and evaluation."""

import json
from pathlib import Path

import pytest
import torch

from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from tests.backbones.foreign_networks import DINOV2
from tests.entries.harness import TINY, needs_tensorflow, run_entry

pytestmark = needs_tensorflow
FILES = ("gin/proto_maml_alfa.gin", "gin/quickstart.gin", "gin/parts/hub_backbone.gin")


def save_model(folder: Path, seed: int) -> Path:
    """Writes a small DINOv2 with random weights."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(seed)
    config = transformers.Dinov2Config.from_dict(DINOV2 | {"image_size": 16})
    transformers.Dinov2Model(config).save_pretrained(folder)
    return folder


@pytest.fixture
def model(tmp_path) -> Path:
    return save_model(tmp_path / "model", seed=0)


def train(folder: Path, root: Path, *lines: str):
    flags = [f"--gin_config={file}" for file in FILES] + [f"--gin_bindings={line}" for line in (*TINY, *lines)]
    return run_entry("train", *flags, f"--records_root_dir={root}", "--run_dir=run", cwd=folder)


def test_weights_architecture_and_pixels_come_from_one_folder(tmp_path, root, model):
    (model / "preprocessor_config.json").write_text('{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}')
    outcome = train(tmp_path, root, "HUB_MODEL = 'model'", "train.learning_rate = 0.0")
    assert outcome.code == 0, outcome
    assert "43 of 43 tensors taken, 100 % of the backbone's values" in outcome.out
    run = RunDirectory(tmp_path / "run")
    facts = run.facts()
    assert facts["pretrained"].startswith(f"{model}, 100 % of the values, hash ")
    assert facts["pretrained_keys"]["share"] == 1 and facts["pretrained_keys"]["missing"] == []
    tensors, theirs = load_checkpoint(run.last)["learner"], pytest.importorskip("safetensors.torch")
    position = theirs.load_file(model / "model.safetensors")["embeddings.position_embeddings"]
    assert torch.equal(tensors["backbone.network.embeddings.position_embeddings"], position)
    assert "'image_mean': [0.5, 0.5, 0.5]" in run.config.read_text()

    model.rename(tmp_path / "moved")  # a run has the architecture in its configuration
    flags = ["--run_dir=run", "--sources=omniglot", "--num_episodes=2", f"--records_root_dir={root}"]
    outcome = run_entry("evaluate", *flags, cwd=tmp_path)
    assert outcome.code == 0, outcome
    protocol = json.loads((tmp_path / "run" / "results" / "test.json").read_text())["protocol"]
    assert protocol["pretrained"] == facts["pretrained"] and protocol["batch_norm"] == "none"
    again = train(tmp_path, root, "HUB_MODEL = 'moved'", "train.learning_rate = 0.0", "train.num_updates = 3")
    assert again.code == 0 and load_checkpoint(run.last)["step"] == 3, again


def test_other_weights_are_another_run(tmp_path, root, model):
    assert train(tmp_path, root, "HUB_MODEL = 'model'").code == 0
    save_model(tmp_path / "other", seed=1)
    error = train(tmp_path, root, "HUB_MODEL = 'other'").error
    assert error.startswith("run is a run of another configuration (HUB_MODEL: 'model' -> 'other')")
