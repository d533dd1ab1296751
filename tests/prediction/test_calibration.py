"""Leave-one-out calibration: what is left out, the temperature, and the interval of the expected accuracy."""

import math

import pytest
import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from torch import nn

from alfa_md.data.labelled_pictures import LabelledPictures
from alfa_md.errors import UserError
from alfa_md.learners.base import Learner
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.prediction.calibration import calibrate, fit_temperature, wilson_interval
from alfa_md.prediction.support_set import SupportSet


def support_of(points: list[list[float]], labels: list[int], digests: list[bytes] | None = None) -> SupportSet:
    digests = digests or [bytes([index]) for index in range(len(labels))]
    pictures = LabelledPictures(tuple("abc"[: max(labels) + 1]), (), tuple(labels))
    return SupportSet(pictures, torch.tensor(points), torch.tensor(labels), tuple(digests))


POINTS, LABELS = [[0.0], [1.0], [5.0], [6.0], [0.4], [30.0]], [0, 0, 1, 1, 1, 2]


def test_every_picture_is_judged_once_by_a_rest_that_lacks_one_of_every_class():
    support = support_of(POINTS, LABELS)
    folds = list(support.folds())
    assert [judged for _, judged in folds] == [[0, 2], [1, 3], [4]]
    rests = [[1.0, 6.0, 0.4, 30.0], [0.0, 5.0, 0.4, 30.0], [1.0, 5.0, 6.0, 30.0]]  # class 2 has one picture, kept
    assert [rest.support_x.flatten().tolist() for rest, _ in folds] == [pytest.approx(rest) for rest in rests]
    found = calibrate(PrototypicalLearner(nn.Identity()), support)
    assert (found.correct, found.number) == (4, 5)  # 0.4 of class 1 is nearer to class 0
    assert found.accuracy == 0.8 and found.interval[0] < 0.8 < found.interval[1]


def test_copies_are_left_out_together():
    points, labels = [[0.0], [0.0], [4.0], [5.0], [6.0]], [0, 0, 1, 1, 1]
    learner = PrototypicalLearner(nn.Identity())
    assert calibrate(learner, support_of(points, labels)).number == 5
    copies = support_of(points, labels, [b"1", b"2", b"x", b"x", b"y"])
    assert [judged for _, judged in copies.folds()] == [[0, 2, 3], [1, 4]]
    single = support_of(points, labels, [b"x", b"x", b"1", b"2", b"3"])
    assert calibrate(learner, single).number == 3 and single.num_folds == 3


def test_without_a_class_of_two_pictures_there_is_nothing_to_leave_out():
    with pytest.raises(UserError, match="--calibrate leaves one picture out at a time, and no class has another"):
        calibrate(PrototypicalLearner(nn.Identity()), support_of([[0.0], [1.0]], [0, 1]))


def test_scores_that_are_not_finite_are_refused():
    class Diverging(Learner):
        def forward(self, episode):
            return torch.full((len(episode.query_y), episode.way), math.nan)

    with pytest.raises(UserError, match="are not finite; lower the inner rate"):
        calibrate(Diverging(), support_of(POINTS, LABELS))


@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0])
def test_the_temperature_is_that_of_the_least_cross_entropy(scale):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(4, (30,), generator=generator)
    scores = scale * (torch.randn(30, 4, generator=generator).double() + F.one_hot(labels, 4))
    target = torch.full((30, 4), 1 / 32 / 3, dtype=torch.float64)
    target[torch.arange(30), labels] = 31 / 32

    def loss(logarithm: float) -> float:
        return float(F.cross_entropy(scores / math.exp(logarithm), target))

    expected = minimize_scalar(loss, bounds=(-10, 10), method="bounded", options={"xatol": 1e-9}).x
    assert math.log(fit_temperature(scores, labels)) == pytest.approx(expected, abs=1e-5)


def test_separable_scores_leave_doubt_and_useless_ones_all_of_it():
    labels = torch.arange(3).repeat(4)
    perfect = F.one_hot(labels, 3).double()
    probabilities = (perfect / fit_temperature(perfect, labels)).softmax(dim=1)
    assert probabilities.max().item() == pytest.approx(13 / 14)  # (12 + 1) / (12 + 2)
    assert fit_temperature(-perfect, labels) == math.inf == fit_temperature(torch.zeros(12, 3).double(), labels)


@pytest.mark.parametrize(("correct", "number"), [(0, 5), (21, 25), (5, 5), (600, 1000)])
def test_the_interval_is_wilson_s(correct, number):
    expected = binomtest(correct, number).proportion_ci(0.95, "wilson")
    assert wilson_interval(correct, number) == pytest.approx((expected.low, expected.high), abs=2e-4)
