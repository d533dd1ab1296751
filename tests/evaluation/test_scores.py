"""Scores of episodes: those on which predictions are not finite are told apart, in one reading of the device."""

import json
import math

import pytest
import torch

from alfa_md.evaluation.results import Results
from alfa_md.evaluation.scores import describe_diverged, finite_score
from alfa_md.learners.base import Learner
from alfa_md.learners.nearest_neighbor import NearestNeighborLearner
from alfa_md.metrics import ACCURACY, SQUARED_ERROR
from alfa_md.objectives import CLASSIFICATION, REGRESSION
from tests.noise import CPU, NoiseSource, accuracies, noise_learner
from tests.test_no_synchronization import NoSynchronization, Synchronized

SCORES, LABELS = torch.tensor([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0]]), torch.tensor([0, 1, 1])
NAN, INF = math.nan, math.inf
STAMP = {"seed": 0, "split": "test", "sampling": None, "unit": "accuracy"}


class Diverging(Learner):
    """Right answers, but for `value` in one score of every third episode; its predictions are kept."""

    def __init__(self, value: float, rows=slice(0, 1)):
        super().__init__()
        self.value, self.rows = value, rows

    def forward(self, episode):
        scores = torch.nn.functional.one_hot(episode.query_y, episode.way).float()
        if episode.index % 3 == 1:
            scores[self.rows] = self.value
        return scores


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_one_prediction_that_is_not_finite_is_no_score(value):
    assert finite_score(CLASSIFICATION, SCORES, LABELS) == pytest.approx(2 / 3)
    for row in range(3):
        changed = SCORES.clone()
        changed[row, 0] = value
        assert finite_score(CLASSIFICATION, changed, LABELS) is None
        assert finite_score(REGRESSION, changed, SCORES) is None


def test_an_error_too_large_for_a_number_is_no_score():
    far = torch.full((3, 2), 1e30)
    assert far.isfinite().all() and finite_score(REGRESSION, far, SCORES) is None


def test_a_score_is_read_from_the_device_once():
    class Counted(NoSynchronization):
        reads = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            try:
                return super().__torch_dispatch__(func, types, args, kwargs)
            except Synchronized:
                Counted.reads += 1
                return func(*args, **(kwargs or {}))

    with Counted():
        finite_score(CLASSIFICATION, SCORES, LABELS)
    assert Counted.reads == 1


def test_a_mean_counts_them_as_no_right_answer_or_leaves_them_out():
    by_hand = 1.96 * (2 / 9) ** 0.5 * 0.6 / 3**0.5  # 0.0, 0.6, 0.6: std 0.6 * sqrt(2) / 3
    assert ACCURACY.mean([None, 0.6, 0.6]) == (pytest.approx(0.4), pytest.approx(by_hand), 3, 1)
    assert SQUARED_ERROR.mean([None, 2.0, 4.0]) == (3.0, pytest.approx(1.96 / 2**0.5), 3, 1)
    nothing = SQUARED_ERROR.mean([None, None])
    assert math.isnan(nothing.mean) and nothing[2:] == (2, 2)
    assert SQUARED_ERROR.text(nothing) == "- (diverged 2 of 2)"
    assert ACCURACY.text(ACCURACY.mean([None] * 3)) == "0.00±0.00 (diverged 3 of 3)"
    assert ACCURACY.mean([0.5, 1.0]) == (0.75, pytest.approx(1.96 * 0.25 / 2**0.5), 2, 0)
    with pytest.raises(ValueError, match="no episodes"):
        ACCURACY.mean([])


def test_a_mean_that_leaves_episodes_out_ranks_last():
    assert math.isnan(SQUARED_ERROR.rank(SQUARED_ERROR.mean([None, 0.1])))
    assert SQUARED_ERROR.rank(SQUARED_ERROR.mean([0.5, 0.1])) == 0.3
    assert ACCURACY.rank(ACCURACY.mean([None, 1.0])) == 0.5


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("rows", [slice(None), slice(0, 1)], ids=["all queries", "one query"])
def test_episodes_are_named_counted_and_stored_as_strict_json(tmp_path, capsys, value, rows):
    results = Results(tmp_path / "test.json", STAMP)
    assert results.measure(Diverging(value, rows), NoiseSource("dtd"), 7, CPU)
    content = json.loads(results.path.read_text(), parse_constant=pytest.fail)
    record = content["sources"]["dtd"]
    assert record["scores"] == [1.0, None, 1.0, 1.0, None, 1.0, 1.0] and record["diverged"] == [1, 4]
    assert record["mean"] == pytest.approx(5 / 7) and record["episodes"] == 7
    told = "test dtd: diverged 2 of 7 (episodes 1, 4). Episodes that diverged, with a prediction that is not finite"
    assert told in capsys.readouterr().out
    again = Results(tmp_path / "test.json", STAMP)
    assert again.measure(Diverging(value, rows), NoiseSource("dtd"), 3, CPU) and again.sources == content["sources"]
    assert told in capsys.readouterr().out


def test_a_line_names_the_first_of_many():
    line = describe_diverged("dtd", [None] * 7 + [0.5], ACCURACY)
    assert line.startswith("dtd: diverged 7 of 8 (episodes 0, 1, 2, 3, 4, ...). Episodes") and line.endswith("as 0.00.")


@pytest.mark.parametrize("value", [NAN, INF])
def test_the_nearest_of_no_features_is_no_class(value):
    """Features that are not finite have no nearest neighbour; an argmin would name one all the same."""

    class Broken(torch.nn.Flatten):
        def forward(self, images):
            return super().forward(images) * value

    assert accuracies(NearestNeighborLearner(Broken()), NoiseSource(), 2) == [None, None]
    assert None not in accuracies(NearestNeighborLearner(torch.nn.Flatten()), NoiseSource(), 2)


def test_a_learner_that_diverges_is_seen_and_costs_no_other_score():
    """A real inner loop of a rate that no float holds, in one of the two learners."""
    good, bad = noise_learner(), noise_learner()
    with torch.no_grad():
        for parameter in bad.rule.parameters():
            parameter.mul_(1e30)
    assert None not in accuracies(good, NoiseSource(), 3)
    assert accuracies(bad, NoiseSource(), 3) == [None] * 3
