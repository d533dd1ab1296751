"""Predictions: in the order of names, a portion at a time, each by its own picture alone."""

import math
import os

import pytest
import torch
from torch import nn

from alfa_md.data.images.transform import Transform
from alfa_md.data.labelled_pictures import labelled_pictures, unlabelled_pictures
from alfa_md.data.open_image import UnreadableImage
from alfa_md.data.picture_inputs import ImageInput
from alfa_md.errors import UserError
from alfa_md.learners.base import Learner
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.prediction import predictions as module
from alfa_md.prediction.calibration import Calibration
from alfa_md.prediction.predictions import Predictions
from alfa_md.prediction.support_set import read_support
from tests.pictures import COLOURS, write_picture, write_query, write_support

READ = ImageInput(Transform(size=8))
COLOUR = PrototypicalLearner(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))


def predictions_of(folder, learner=COLOUR, **options) -> Predictions:
    support = read_support(labelled_pictures(folder / "support"), READ, torch.device("cpu"))
    return Predictions(learner, support, *unlabelled_pictures(folder / "query"), READ, **options)


@pytest.fixture
def folder(tmp_path):
    write_support(tmp_path / "support")
    write_query(tmp_path / "query", 7)
    return tmp_path


def test_pictures_are_predicted_in_order_with_probabilities(folder):
    found = predictions_of(folder)
    rows = list(found)
    assert found.classes == ("blue", "green", "red") and len(found) == 7
    assert [row.file for row in rows] == sorted(os.listdir(folder / "query"))
    assert all(row.label in row.file for row in rows)
    assert all(math.isclose(sum(row.probabilities), 1) for row in rows)
    assert all(row.probability == row.probabilities[found.classes.index(row.label)] for row in rows)
    assert list(found) == rows  # once more


def test_only_a_portion_is_read_at_a_time(folder, monkeypatch):
    monkeypatch.setattr(module, "PORTION", 3)
    found = predictions_of(folder)
    (folder / "query" / "00006-red.png").write_bytes(b"damaged")
    rows = iter(found)
    whole = [next(rows) for _ in range(6)]
    with pytest.raises(UnreadableImage, match="00006-red.png: is not a readable image.* --skip_unreadable"):
        next(rows)
    monkeypatch.setattr(module, "PORTION", 100)
    skipping = predictions_of(folder, skip_unreadable=True)
    pairs = zip(whole, skipping, strict=True)
    assert all(one.probabilities == pytest.approx(two.probabilities, abs=1e-6) for one, two in pairs)
    assert len(skipping.unreadable) == 1 and "00006-red.png" in skipping.unreadable[0]


def test_copies_of_labelled_pictures_are_noticed(folder):
    (folder / "query" / "00000-copy.png").write_bytes((folder / "support" / "red" / "0.png").read_bytes())
    found = predictions_of(folder)
    list(found)
    assert found.copies == ["00000-copy.png"]


def test_calibration_changes_probabilities_and_not_classes(folder):
    plain, calibrated = predictions_of(folder), predictions_of(folder, calibrated=True)
    assert (calibrated.calibration.correct, calibrated.calibration.number) == (9, 9)
    before, after = list(plain), list(calibrated)
    assert [row.label for row in before] == [row.label for row in after] and before != after
    assert all(row.probability > 0.8 for row in after)


def test_a_temperature_without_end_leaves_the_classes_as_they_are(folder):
    found = predictions_of(folder)
    before = [row.label for row in found]
    found.calibration = Calibration(math.inf, 3, 9)
    assert [row.label for row in found] == before and len(set(before)) == 3
    assert all(row.probabilities == pytest.approx([1 / 3] * 3) for row in found)


def test_a_picture_in_two_classes_is_refused(folder):
    content = (folder / "support" / "red" / "0.png").read_bytes()
    (folder / "support" / "green" / "9.png").write_bytes(content)
    with pytest.raises(UserError, match="green/9.png of class 'green' and .*red/0.png of class 'red' are one picture"):
        predictions_of(folder)


def test_scores_that_are_not_finite_are_refused(folder):
    class Diverging(Learner):
        def forward(self, episode):
            return torch.full((len(episode.query_y), episode.way), math.nan)

    with pytest.raises(UserError, match="the scores are not finite: adaptation diverged"):
        list(predictions_of(folder, Diverging()))


def test_one_picture_alone_has_the_same_prediction(folder):
    write_picture(folder / "one" / "a.png", COLOURS["blue"], 1)
    (folder / "query" / "zz.png").write_bytes((folder / "one" / "a.png").read_bytes())
    among = list(predictions_of(folder))[-1]
    for file in (folder / "query").iterdir():
        file.unlink()
    (folder / "query" / "zz.png").write_bytes((folder / "one" / "a.png").read_bytes())
    (alone,) = predictions_of(folder)
    assert alone.label == among.label == "blue"
    assert alone.probabilities == pytest.approx(among.probabilities, abs=1e-6)
