"""The parts that are given after another gin file: each builds after the quickstart and takes two small updates."""

import gin
import pytest
import torch

from alfa_md.data.miniature import miniature_root
from alfa_md.experiment import config, definition
from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.training import loop
from tests.entries.harness import TINY, needs_tensorflow
from tests.shared import ROOT

pytestmark = needs_tensorflow
SMALL = {"vit_tiny": ("VitTiny.patch_size = 4", "VitTiny.width = 8", "VitTiny.depth = 1", "VitTiny.num_heads = 2")}
SMALL |= {"fine_tuning": ("FineTuningLearner.num_steps = 2",)}
PARTS = sorted(
    path.stem for path in (ROOT / "gin" / "parts").glob("*.gin") if path.read_text().startswith("# After another file")
)


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def test_the_backbone_is_among_the_parts():
    assert {"vit_tiny", "anil"} <= set(PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_two_small_updates_after_the_quickstart(part, tmp_path):
    files = ["gin/proto_maml_alfa.gin", "gin/quickstart.gin", f"gin/parts/{part}.gin"]
    config.parse(files, [*TINY, *SMALL.get(part, ())])
    built, root, run = definition.build_experiment(0), miniature_root(), RunDirectory(tmp_path / "run")
    facts = {"name": "tiny", "seed": 0, "data_root": str(root), "data_kind": "miniature"}
    state = loop.train(built, run, root, facts, torch.device("cpu"))
    assert state.step == load_checkpoint(run.last)["step"] == 2
    config.parse([str(run.config)])
    assert type(definition.build_experiment(0).learner) is type(built.learner)
