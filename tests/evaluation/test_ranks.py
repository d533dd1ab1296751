"""Ranks of learners: ties by the interval of a difference, their shared ranks, and results without a mean."""

import math

import pytest

from alfa_md.evaluation.ranks import average_ranks, ranks, ranks_beside, ranks_by_source
from alfa_md.evaluation.summary import ranked_table
from alfa_md.experiment.definition import META_DATASET
from alfa_md.metrics import ACCURACY, SQUARED_ERROR, MeanCI


def results(*means: float, ci95: float = 0.01) -> dict[str, MeanCI]:
    """Learners a, b, c, ... with these means."""
    return {name: MeanCI(mean, ci95, 600) for name, mean in zip("abcdef", means, strict=False)}


@pytest.mark.parametrize(
    "means, expected",
    [
        ((0.9,), [1]),
        ((0.9, 0.8, 0.7), [1, 2, 3]),
        ((0.7, 0.9, 0.8), [3, 1, 2]),
        ((0.9, 0.89, 0.7), [1.5, 1.5, 3]),
        ((0.7, 0.9, 0.89, 0.895), [4, 2, 2, 2]),
        ((0.9, 0.89, 0.7, 0.695), [1.5, 1.5, 3.5, 3.5]),
        # Each ties with the next: the second is compared with the best, not with the third.
        ((0.9, 0.89, 0.88), [1.5, 1.5, 3]),
        ((0.9, 0.89, 0.88, 0.87), [1.5, 1.5, 3.5, 3.5]),
    ],
)
def test_those_that_tie_with_the_best_share_their_ranks(means, expected):
    placed = ranks(results(*means), ACCURACY)
    assert list(placed) == list("abcdef")[: len(means)] and list(placed.values()) == expected
    assert sum(placed.values()) == len(means) * (len(means) + 1) / 2


def test_a_tie_is_within_the_root_of_both_variances():
    """1.96 sqrt(s1^2 / n1 + s2^2 / n2), of which each interval is one part: 0.03 and 0.04 make 0.05."""
    best = MeanCI(0.5, 0.03, 600)
    for mean, tied in ((0.4501, True), (0.4499, False)):
        placed = ranks({"best": best, "other": MeanCI(mean, 0.04, 100)}, ACCURACY)
        assert placed == ({"best": 1.5, "other": 1.5} if tied else {"best": 1, "other": 2})


def test_the_lowest_error_is_first_and_none_is_last():
    errors = results(0.5, 0.2, ci95=0.001) | {"d": MeanCI(0.1, 0.01, 600, diverged=3), "e": MeanCI(math.nan, 0, 600)}
    assert ranks(errors, SQUARED_ERROR) == {"a": 2, "b": 1, "d": 3.5, "e": 3.5}
    assert ranks({"e": errors["e"]}, SQUARED_ERROR) == {"e": 1}


def test_only_sources_that_all_have_are_ranked():
    columns = {"a": {"x": MeanCI(0.5, 0.01, 9), "y": MeanCI(0.5, 0.01, 9)}, "b": {"y": MeanCI(0.9, 0.01, 9)}}
    assert ranks_by_source(columns, ACCURACY) == {"a": {"y": 2}, "b": {"y": 1}}
    assert average_ranks(columns, ACCURACY) == {"a": 2, "b": 1}
    assert average_ranks({"a": columns["a"]}, ACCURACY) == average_ranks({"a": {}, "b": {}}, ACCURACY) == {}


def test_beside_other_rows_each_learner_is_alone():
    rows = {"row": {"x": MeanCI(0.5, 0.01, 9)}}
    columns = {name: {"x": MeanCI(0.9, 0.01, 9)} for name in "ab"}
    assert ranks_beside(columns, rows, ACCURACY) == {"a": {"x": 1}, "b": {"x": 1}}


def table(kind="records", split="test", trained_on=("ilsvrc_2012",), sources=META_DATASET, learners="ab") -> str:
    """The ranked table of learners with the same results, 99 % on every source."""
    columns = {learner: {source: MeanCI(0.99, 0.001, 600) for source in sources} for learner in learners}
    return ranked_table(columns, ACCURACY, {"data_kind": kind, "split": split}, trained_on)


def test_the_leaderboard_is_of_the_ten_sources_of_meta_dataset_and_of_the_same_training_sources():
    first = table()
    assert "Ranks, each alone among the 15 of the leaderboard trained on ImageNet only:" in first
    assert "| a | 1 | 99.00±0.10 (1) |" in first and "| b | 1 | 99.00±0.10 (1) |" in first
    eight = ("ilsvrc_2012", "aircraft", "cu_birds", "omniglot", "quickdraw", "vgg_flower", "dtd", "fungi")
    assert "among the 18 of the leaderboard trained on all sources:" in table(trained_on=eight)
    for other in (
        table(kind="miniature"),
        table(split="valid"),
        table(trained_on=("omniglot",)),
        table(sources=META_DATASET[:9]),
    ):
        assert "Ranks among these 2:" in other and "| a | 1.5 | 99.00±0.10 (1.5) |" in other


def test_a_learner_alone_has_no_rank():
    assert table(kind="miniature", learners="a") == "" and "| a | 1 |" in table(learners="a")
    assert table(sources=(), learners="ab") == ""
