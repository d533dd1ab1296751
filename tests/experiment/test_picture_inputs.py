"""The preparation of pictures follows what a run binds for its reader."""

from pathlib import Path

import gin
import pytest
import torch

import alfa_md
from alfa_md.data.images import folder
from alfa_md.data.images.transform import IMAGENET
from alfa_md.data.picture_inputs import ImageInput, RecordInput
from alfa_md.errors import UserError
from alfa_md.experiment import config, definition
from alfa_md.experiment.picture_inputs import picture_input
from tests.entries.harness import shade, write_root
from tests.shared import ROOT

STORED = ROOT / "tests" / "stored_runs"


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def inputs_of(files: list[str], *bindings: str):
    config.parse(files, bindings)
    return picture_input(definition.build_experiment(0))


def test_a_run_on_records_decodes_by_its_own_decoder():
    found = picture_input(alfa_md.open_run(STORED / "plain", "last").experiment)
    assert isinstance(found, RecordInput) and found.decoder.image_size == 16
    files = ["gin/proto_maml.gin", "gin/quickstart.gin"]
    assert inputs_of(files, "decoder = @turbo()").decoder.name == "turbo"
    assert inputs_of(files, "reader = @official").decoder.image_size == 32


def test_a_run_on_image_folders_takes_its_transform():
    files = ["gin/paper/table1_conv4_maml.gin"]
    assert inputs_of(files, "DATA = 'own'") == ImageInput(folder.TRANSFORM)
    assert inputs_of(files, "DATA = 'cub'").transform.mean == IMAGENET["mean"]
    (one,) = {inputs_of(files, "images.transform = @photo/Transform()").transform.size}
    assert one == 84


def test_points_and_unknown_readers_are_refused():
    with pytest.raises(UserError, match="this run is judged by its squared error: it predicts values"):
        picture_input(alfa_md.open_run(STORED / "sine", "last").experiment)
    experiment = alfa_md.open_run(STORED / "plain", "last").experiment

    def unheard_of(root: Path, name: str, split: str, sampling: object, seed: int) -> None: ...

    experiment.reader = unheard_of
    with pytest.raises(UserError, match="the reader unheard_of does not say how it prepares images"):
        picture_input(experiment)


def test_a_picture_is_the_image_of_an_episode(tmp_path):
    """A file with the bytes of a record gives the tensor that the run's reader gives for the record."""
    root = write_root(tmp_path)
    run = alfa_md.open_run(STORED / "plain", "last", records_root_dir=str(root), gin_bindings=["cache = None"])
    episode, chosen = run.episode(0, "omniglot"), run.source("omniglot").draw(0)
    content = shade(chosen[0].class_id, int(chosen[0].support[0]))
    assert torch.equal(picture_input(run.experiment)(Path("a.png"), content), episode.support_x[0])
