"""Runs without records: their sizes, what the user's own bindings replace, and what they say of themselves."""

import json
from pathlib import Path

import gin
import pytest

from alfa_md.experiment import config
from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.small_sizes import parse_small
from tests.entries.harness import TINY, contents, needs_tensorflow, run_entry, write_root
from tests.shared import ROOT

MAIN = "gin/proto_maml_alfa.gin"
FULL_SIZE = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "gin").glob("*.gin")
    if path.name not in ("quickstart.gin", "omniglot_proto_maml_alfa.gin")
)
SIZES = ("train.num_updates", "FourLayerConvNet.num_filters", "batches.batch_size", "Sampling.max_ways_upper_bound")
NOTE = "small (gin/parts/small.gin), for want of records"


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    monkeypatch.delenv("META_DATASET_RECORDS", raising=False)
    yield
    gin.clear_config()


def bound(*names: str) -> list:
    return [gin.query_parameter(name) for name in names]


@pytest.mark.parametrize("file", [*FULL_SIZE, "gin/paper/table3_proto_maml_alfa.gin", str(ROOT / MAIN)])
def test_every_full_size_file_becomes_small(file):
    assert parse_small([file])
    assert bound(*SIZES, "IMAGE_SIZE/macro.value") == [400, 32, 64, 10, 32]
    if "pretrain" not in file:
        network = "vit" if "vit" in file else "resnet"
        assert bound("PRETRAINED/macro.value") == [f"gin/pretrain_imagenet_{network}.gin"]


@pytest.mark.parametrize("file", ["gin/vit_alfa_lora.gin", "gin/vit_alfa_head.gin", "gin/pretrain_imagenet_vit.gin"])
def test_the_files_of_the_vision_transformer_keep_it(file):
    assert parse_small([file])
    assert str(gin.query_parameter("BACKBONE/macro.value")) == "@VitTiny()"
    assert bound("VitTiny.patch_size", "NUM_FEATURES/macro.value") == [4, 64]


@pytest.mark.parametrize("files", [[MAIN, "gin/quickstart.gin"], ["gin/omniglot_proto_maml_alfa.gin"]])
def test_files_that_are_small_already_are_left(files):
    config.parse(files)
    before = gin.config_str()
    assert not parse_small(files) and gin.config_str() == before


def test_what_the_user_binds_remains_wherever_he_binds_it(tmp_path):
    own = tmp_path / "own.gin"
    own.write_text(f"include '{MAIN}'\nIMAGE_SIZE = 48\ntrain.learning_rate = 0.25\n")
    assert parse_small([str(own), "gin/parts/vit_tiny.gin"], ["train.num_updates = 7", "IMAGE_SIZE = 60"])
    assert bound("train.num_updates", "IMAGE_SIZE/macro.value", "train.learning_rate") == [7, 60, 0.25]
    assert bound("NUM_FEATURES/macro.value", "GradientLearner.num_steps") == [64, 3]  # of the part, and small
    config.parse([str(own)])
    assert bound("train.num_updates") == [75000]


@pytest.fixture
def short(tmp_path) -> Path:
    """A gin file of two updates, after any other."""
    file = tmp_path / "short.gin"
    file.write_text("\n".join((*TINY, "NUM_FEATURES = 4", "batches.batch_size = 8")))
    return file


def start(folder: Path, *flags: str):
    return run_entry("train", *flags, "--run_dir=run", cwd=folder)


@needs_tensorflow
def test_the_command_without_records_ends_small_and_says_so(tmp_path, short):
    pretraining = f"--gin_bindings=PRETRAINED = ('gin/pretrain_imagenet_resnet.gin', '{short}')"
    command = (f"--gin_config={MAIN}", f"--gin_config={short}", pretraining)
    outcome = start(tmp_path, *command)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0].startswith("EMBEDDED MINIATURE DATA") and lines[1].startswith("NO RECORDS, SO A SMALL RUN")
    assert lines[2].startswith(f"The real run: python -m alfa_md.train --gin_config={MAIN} --gin_config={short} ")
    assert lines[2].endswith("--records_root_dir=RECORDS --run_dir=NEW_RUN") and lines[-2:] == lines[1:3]
    run = tmp_path / "run"
    for folder, name in ((run, "proto_maml_alfa+short+small"), (run / "pretrain", None)):
        facts = json.loads((folder / "run.json").read_text())
        assert facts["sizes"] == NOTE and facts["data_kind"] == "miniature" and name in (None, facts["name"])
        assert f"# Sizes: {NOTE}." in (folder / "config.gin").read_text()
        assert load_checkpoint(folder / "checkpoints" / "last.pt")["step"] == 2
    assert str(run / "pretrain" / "checkpoints" / "best.pt") in facts_of(run)["pretrained"]

    before = contents(run / "checkpoints")
    assert start(tmp_path, *command).code == 0 and contents(run / "checkpoints") == before  # it is finished
    flags = ["--run_dir=run", "--sources=omniglot", "--num_episodes=2"]
    assert run_entry("evaluate", *flags, cwd=tmp_path).code == 0
    assert json.loads((run / "results" / "test.json").read_text())["protocol"]["sizes"] == NOTE
    assert f"Sizes: {NOTE}." in (run / "results" / "test.md").read_text()

    kept = contents(run)
    error = start(tmp_path, *command, f"--records_root_dir={write_root(tmp_path / 'records')}").error
    assert error == "run is a small run, begun without records; choose another --run_dir"
    assert contents(run) == kept


def facts_of(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())


@needs_tensorflow
def test_a_backbone_of_the_user_that_no_small_pretraining_fits_starts_from_scratch(tmp_path, short):
    pretraining = f"--gin_bindings=PRETRAINED = ('gin/pretrain_imagenet_resnet.gin', '{short}')"
    own = "--gin_bindings=FourLayerConvNet.num_filters = 6"
    outcome = start(tmp_path, f"--gin_config={MAIN}", f"--gin_config={short}", pretraining, own)
    assert outcome.code == 0 and "size mismatch" in outcome.out and "this small run starts from scratch" in outcome.out
    assert facts_of(tmp_path / "run")["pretrained"] == "no: from scratch"


@needs_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("file", [*FULL_SIZE, "gin/paper/table3_maml_alfa.gin"])
def test_every_full_size_file_ends_without_records(file, tmp_path, short):
    network = "vit" if "vit" in file else "resnet"
    if network == "vit":
        lines = short.read_text().replace("FourLayerConvNet.num_filters = 4", "VitTiny.depth = 1")
        short.write_text(lines.replace("NUM_FEATURES = 4\n", "").replace("IMAGE_SIZE = 16", "IMAGE_SIZE = 12"))
    pretraining = f"--gin_bindings=PRETRAINED = ('gin/pretrain_imagenet_{network}.gin', '{short}')"
    outcome = start(tmp_path, f"--gin_config={file}", f"--gin_config={short}", pretraining)
    assert (outcome.code, outcome.err) == (0, "") and "2 updates done" in outcome.out
    assert "pretrain" in file or "best.pt" in facts_of(tmp_path / "run")["pretrained"]
    flags = ("--run_dir=run", "--sources=dtd", "--num_episodes=2")
    assert network == "resnet" or run_entry("evaluate", *flags, cwd=tmp_path).code == 0
