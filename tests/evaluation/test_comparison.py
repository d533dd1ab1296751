"""Comparison of two results: only on the same episodes, paired, against counts by hand."""

import json

import pytest

from alfa_md.errors import UserError
from alfa_md.evaluation.comparison import compare_results, load_results, paired_rows
from alfa_md.evaluation.pairing import ComparisonRow
from alfa_md.evaluation.tables import UNITS
from alfa_md.metrics import MeanCI, Unit, mean_ci, paired_difference

PROTOCOL = {"split": "test", "seed": 0, "sampling": {"max_ways_upper_bound": 10}, "checkpoint": "0123456789abcdef"}
PROTOCOL |= {"unit": "accuracy"}
# Differences a - b by source: aircraft all +0.1 (win), dtd -0.2, -0.1 (loss), fungi +0.1, -0.1 (tie), omniglot 0 (tie)
A = {"aircraft": [0.5, 0.9], "dtd": [0.3, 0.5], "fungi": [0.5, 0.4], "omniglot": [0.8, 0.7]}
B = {"aircraft": [0.4, 0.8], "dtd": [0.5, 0.6], "fungi": [0.4, 0.5], "omniglot": [0.8, 0.7]}


def results(sources: dict, spec="spec", data=(), **protocol) -> dict:
    """The content of a results file with these scores; `data` is added to the data stamp of every source."""
    unit = UNITS[(PROTOCOL | protocol)["unit"]]
    records = {name: record(values, unit, {"spec": spec + name} | dict(data)) for name, values in sources.items()}
    return {"protocol": PROTOCOL | protocol, "sources": records}


def record(values: list, unit: Unit, data: dict) -> dict:
    mean, ci95, n, _ = unit.mean(values)
    found = [index for index, value in enumerate(values) if value is None]
    return {"mean": mean, "ci95": ci95, "episodes": n, "scores": values, "data": data} | (
        {"diverged": found} if found else {}
    )


def written(folder, content: dict, split="test") -> str:
    (folder / "results").mkdir(parents=True)
    (folder / "results" / f"{split}.json").write_text(json.dumps(content))
    return str(folder)


def test_rows_hold_means_and_the_paired_difference():
    rows = paired_rows(results(A), results(B))
    assert [row.source for row in rows] == ["aircraft", "dtd", "fungi", "omniglot"]
    for row in rows:
        assert (row.a, row.b) == (mean_ci(A[row.source]), mean_ci(B[row.source]))
        assert row.difference == paired_difference(A[row.source], B[row.source])
    # dtd by hand: mean -0.15, std 0.05, interval 1.96 * 0.05 / sqrt(2)
    assert rows[1].difference == (pytest.approx(-0.15), pytest.approx(0.0692965, abs=1e-7), 2, 0)
    assert [row.verdict for row in rows] == ["win", "loss", "tie", "tie"]


@pytest.mark.parametrize(
    "mean, ci95, verdict",
    [(0.02, 0.01, "win"), (-0.02, 0.01, "loss"), (0.01, 0.01, "tie"), (-0.01, 0.01, "tie"), (0.0, 0.0, "tie")],
)
def test_an_interval_that_holds_zero_is_a_tie(mean, ci95, verdict):
    assert ComparisonRow("dtd", MeanCI(0.5, 0, 2), MeanCI(0.5, 0, 2), MeanCI(mean, ci95, 2)).verdict == verdict


def test_lower_is_better_where_the_unit_says_so(tmp_path, capsys):
    """The same numbers as squared errors: wins and losses swap, and numbers have three digits without percent."""
    rows = paired_rows(results(A, unit="squared error"), results(B, unit="squared error"))
    assert [row.verdict for row in rows] == ["loss", "win", "tie", "tie"]
    a, b = (written(tmp_path / name, results(s, unit="squared error")) for name, s in (("a", A), ("b", B)))
    compare_results(a, b, "test")
    text = capsys.readouterr().out
    assert "-0.150±0.069" in next(line for line in text.splitlines() if "dtd" in line)
    assert "(squared error, 95 % intervals)" in " ".join(text.split())


def test_scores_of_different_units_are_refused():
    with pytest.raises(UserError, match="unit is accuracy in A and squared error in B"):
        paired_rows(results(A), results(A, unit="squared error"))


def test_other_data_is_refused_and_another_resizing_is_not():
    def on(transform: str, build: str) -> dict:
        content = results(A)
        for record in content["sources"].values():
            record["data"] = {"build": build, "transform": transform}
        return content

    assert len(paired_rows(on("84 px", "b"), on("32 px", "b"))) == 4
    with pytest.raises(UserError, match="aircraft comes from different data"):
        paired_rows(on("84 px", "b"), on("84 px", "c"))


def test_the_summary_counts_and_ranks(tmp_path, capsys):
    """Ranks of A: 1 (win), 2 (loss), 1.5, 1.5 (ties): 6 / 4 = 1.5. Without the loss: 4 / 3 = 1.33 against 1.67."""
    a, b = written(tmp_path / "a", results(A)), written(tmp_path / "b", results(B))
    compare_results(a, b, "test")
    text = capsys.readouterr().out
    assert "A against B: 1 wins, 2 ties, 1 losses; average rank A 1.50, B 1.50" in text
    assert "-15.00±6.93" in next(line for line in text.splitlines() if "dtd" in line)
    without = {name: values for name, values in B.items() if name != "dtd"}
    compare_results(a, written(tmp_path / "c", results(without)), "test")
    text = capsys.readouterr().out
    assert "1 wins, 2 ties, 0 losses; average rank A 1.33, B 1.67" in text and "Only one of the two has: dtd" in text
    # the last line of the table: means of aircraft, fungi and omniglot
    means = next(line for line in text.splitlines() if "mean" in line)
    assert [cell for cell in ("63.33", "60.00", "3.33") if cell in means] == ["63.33", "60.00", "3.33"]


@pytest.mark.parametrize("key, value", [("split", "valid"), ("seed", 1), ("sampling", {"max_ways_upper_bound": 50})])
def test_other_episodes_are_refused(key, value):
    with pytest.raises(UserError, match=f"not the same episodes: {key} is"):
        paired_rows(results(A), results(B, **{key: value}))


def test_what_may_differ(tmp_path):
    """Learner, checkpoint and data folder do not affect the episodes."""
    assert paired_rows(
        results(A), results(B, checkpoint="f" * 16, data_root="elsewhere", learner="PrototypicalLearner")
    )


def test_other_data_are_refused():
    with pytest.raises(UserError, match="aircraft comes from different data"):
        paired_rows(results(A), results(B, spec="another spec"))


def test_other_numbers_of_episodes_are_refused():
    with pytest.raises(UserError, match="aircraft: 2 episodes in A and 3 in B"):
        paired_rows(results(A), results(B | {"aircraft": [0.1, 0.2, 0.3]}))


def test_nothing_in_common_is_refused():
    with pytest.raises(UserError, match="no source in common"):
        paired_rows(results({"dtd": [0.5]}), results({"fungi": [0.5]}))


def test_results_are_found_by_run_directory_split_or_file(tmp_path):
    content = results(A)
    folder = written(tmp_path / "run", content, "valid")
    assert load_results(folder, "valid") == load_results(f"{folder}/results/valid.json", "test") == content
    with pytest.raises(UserError, match="no results at .*test.json; run python -m alfa_md.evaluate"):
        load_results(folder, "test")


@pytest.mark.parametrize(
    "text",
    ["not json", "[1, 2]", "{}", '{"sources": {"dtd": {}}}', "null"]
    + ['{"protocol": {"unit": "metre"}, "sources": {"dtd": {"scores": []}}}']
    + ['{"protocol": {"unit": "accuracy"}, "sources": {"dtd": {"accuracies": []}}}'],
)
def test_a_file_of_something_else_is_refused(tmp_path, text):
    file = tmp_path / "test.json"
    file.write_text(text)
    with pytest.raises(UserError, match="is not a results file"):
        load_results(str(file), "test")


def test_results_without_a_source_are_refused(tmp_path):
    with pytest.raises(UserError, match="has no source yet"):
        load_results(written(tmp_path / "run", results({})), "test")


OFFICIAL, ERROR = {"reader": "official"}, {"unit": "squared error"}
OWN = {"decoder": "turbo", "image_size": 84, "cache": None}


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (OFFICIAL, OFFICIAL, "the official reader draws other episodes in every evaluation"),
        (OFFICIAL, OWN, "the official reader drew A and the alfa_md reader drew B"),
        (OWN, OFFICIAL, "the alfa_md reader drew A and the official reader drew B"),
    ],
)
def test_results_of_the_official_reader_are_not_paired(tmp_path, capsys, first, second, why):
    """By hand: dtd has std 0.1 and 0.05 over two episodes; the variances of the means add."""
    a, b = written(tmp_path / "a", results(A, data=first)), written(tmp_path / "b", results(B, data=second))
    rows = compare_results(a, b, "test")
    expected = 1.96 * ((0.1**2 + 0.05**2) / 2) ** 0.5
    assert rows[1].difference[:2] == (pytest.approx(-0.15), pytest.approx(expected, abs=1e-12))
    assert [row.verdict for row in rows] == ["tie"] * 4  # paired: a win and a loss
    assert f"dtd: {why}; A - B is NOT paired" in capsys.readouterr().out


def test_other_numbers_of_episodes_are_no_hindrance_where_nothing_is_paired():
    rows = paired_rows(results(A, data=OFFICIAL), results(B | {"dtd": [0.1, 0.2, 0.3]}, data=OFFICIAL))
    assert rows[1].b.n == 3
    with pytest.raises(UserError, match=r"different data in A and B \(official reads A, alfa_md reads B\)"):
        paired_rows(results(A, data=OFFICIAL), results(A, spec="another"))


def test_dumped_episodes_pair_with_themselves_alone():
    dumped = [results({"dtd": [0.5]}, data={"reader": "dumped", "files": files, "decoder": "x"}) for files in "aba"]
    assert len(paired_rows(dumped[0], dumped[2])) == 1
    for other in (dumped[1], results({"dtd": [0.5]})):
        with pytest.raises(UserError, match="dtd comes from different data"):
            paired_rows(dumped[0], other)
    same = results({"dtd": [0.5]}, data={"files": "a"})
    with pytest.raises(UserError, match="dtd is read by dumped in A and by alfa_md in B"):
        paired_rows(dumped[0], same)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_diverged_episode_counts_as_no_right_answer_whichever_side_it_is(tmp_path, capsys, swapped):
    """By hand: means 0.7 and 0.05, the latter of 0.0 and 0.1 in turns: std 0.05, interval 1.96 * 0.05 / sqrt(10)."""
    good, bad = {"dtd": [0.5, 0.9] * 5}, {"dtd": [None, 0.1] * 5}
    sides = [written(tmp_path / name, results(s)) for name, s in (("good", good), ("bad", bad))]
    (row,) = compare_results(*(reversed(sides) if swapped else sides), "test")
    assert row.verdict == ("loss" if swapped else "win") and abs(row.difference.mean) == pytest.approx(0.65)
    said = capsys.readouterr().out
    side = "5 of 10 in A, 0 of 10 in B" if swapped else "0 of 10 in A, 5 of 10 in B"
    assert f"dtd: diverged {side}. Episodes that diverged, with a prediction that is not finite, count as 0.00." in said
    assert "5.00±3.10 (diverged 5 of 10)" in said


@pytest.mark.parametrize("swapped", [False, True])
def test_an_error_with_diverged_episodes_has_a_difference_and_no_verdict(tmp_path, capsys, swapped):
    good, bad = results({"dtd": [2.0, 3.0, 4.0]}, **ERROR), results({"dtd": [None, 1.0, 2.0]}, **ERROR)
    sides = [written(tmp_path / "good", good), written(tmp_path / "bad", bad)]
    (row,) = compare_results(*(reversed(sides) if swapped else sides), "test")
    assert (row.verdict, row.difference) == ("none", (-2.0 if swapped else 2.0, 0.0, 2, 0))
    said = capsys.readouterr().out
    assert "A against B: 0 wins, 0 ties, 0 losses, 1 without a verdict\n" in said
    assert "A - B is over the other 2 and decides nothing. Episodes that diverged" in said and "nan" not in said


def test_a_source_whose_every_episode_diverged_is_no_number(tmp_path, capsys):
    whole, nothing = results({"dtd": [2.0, 3.0]}, **ERROR), results({"dtd": [None, None]}, **ERROR)
    nothing["sources"]["dtd"] |= {"mean": None, "ci95": None}
    compare_results(written(tmp_path / "a", whole), written(tmp_path / "b", nothing), "test")
    said = capsys.readouterr().out
    assert "- (diverged 2 of 2)" in said and "nan" not in said
