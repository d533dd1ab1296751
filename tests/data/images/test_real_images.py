"""Few-shot Omniglot configurations on real drawings and photographs: network inputs, training and evaluation."""

import json

import gin
import numpy as np
import pytest
import torch
from PIL import Image

from alfa_md.evaluation.run import EvaluationOptions, evaluate_run
from alfa_md.experiment import config, definition
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.training.run import TrainingOptions, train_run
from tests.image_folders import MINIMUM, write_quickdraw, write_traffic_signs
from tests.noise import CPU
from tests.omniglot_folders import PackedOmniglot
from tests.shared import ROOT, shared_data

FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "gin" / "few_shot").glob("*.gin"))
CLASSES = 6
SOURCES = ("omniglot_images", "quickdraw", "traffic_sign")
SMALL = ("train.num_updates = 1", "train.num_validation_episodes = 1", "Conv4.num_filters = 4", "NUM_FEATURES = 4")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A few classes of each data set; characters of Omniglot in every split."""
    target = tmp_path_factory.mktemp("images")
    omniglot = PackedOmniglot(shared_data("omniglot.npz"))
    for number, split in enumerate(("train", "valid", "test")):
        for character in range(number * CLASSES, (number + 1) * CLASSES):
            folder = target / "omniglot_images" / split / omniglot.name(character)
            folder.mkdir(parents=True)
            for drawer, strokes in enumerate(omniglot.ink(character)):
                Image.fromarray(strokes == 0).save(folder / f"{drawer:02d}.png")
    write_quickdraw(shared_data("quickdraw_subset.npz"), target / "quickdraw", CLASSES)
    write_traffic_signs(shared_data("traffic_sign_subset.npz"), target / "traffic_sign", CLASSES)
    return target


@pytest.fixture
def built():
    config.parse(["gin/few_shot/alfa_maml.gin"], ["TASKS = 2"])
    yield definition.build_experiment(0)
    gin.clear_config()


@pytest.mark.parametrize("source", SOURCES)
def test_a_network_sees_28_pixels_and_bright_ink_in_three_channels(root, built, source):
    episode = built.evaluation(root, source, "test", 0).episode(3)
    images = torch.cat([episode.support_x, episode.query_x])
    assert images.shape == (5 * (1 + 15), 3, 28, 28) and episode.way == 5
    assert images.min() >= 0 and 0.5 < images.max() <= 1
    again = built.evaluation(root, source, "test", 0).episode(3)
    assert torch.equal(again.support_x, episode.support_x) and torch.equal(again.query_x, episode.query_x)
    if source == "traffic_sign":
        assert (images[:, 0] != images[:, 2]).any()
    else:
        assert torch.equal(images[:, 0], images[:, 1]) and torch.equal(images[:, 0], images[:, 2])
        assert images.mean() < 0.35 and images[:, :, 0].median() < 0.1  # ink is bright, paper is dark


def test_only_classes_with_enough_images_are_written(root):
    counts = [len(list(folder.iterdir())) for folder in (root / "quickdraw" / "test").iterdir()]
    assert len(counts) == CLASSES and min(counts) >= MINIMUM
    first = sorted((root / "traffic_sign" / "test" / "000").iterdir())[0]
    with np.load(shared_data("traffic_sign_subset.npz")) as arrays:
        assert arrays["label"][int(first.stem)] == 0
    assert Image.open(first).mode == "RGB"


@pytest.mark.parametrize("file", FILES)
def test_every_file_trains_and_is_tested_on_the_three_sources(root, tmp_path, file):
    run = RunDirectory(tmp_path / "run")
    train_run(run, TrainingOptions("few shot", [file], SMALL, str(root), 0, CPU))
    assert evaluate_run(run, EvaluationOptions("best", ["all"], 2, "test", [], str(root), 0, CPU)).exit_code == 0
    sources = json.loads((run.results / "test.json").read_text())["sources"]
    assert tuple(sources) == SOURCES and all(0 <= record["mean"] <= 1 for record in sources.values())


def test_the_files_differ_in_their_method_alone():
    assert [file.rpartition("/")[2] for file in FILES] == [
        "alfa_maml.gin",
        "alfa_random.gin",
        "maml.gin",
        "maml_l2f.gin",
    ]
    for file in FILES:
        lines = [line for line in (ROOT / file).read_text().splitlines() if not line.startswith("#")]
        method = file.rpartition("/")[2]
        assert lines == ["include 'gin/parts/drawings.gin'", f"include 'gin/parts/method_{method}'"]
