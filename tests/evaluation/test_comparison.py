"""Comparison of two results: only on the same episodes, paired, against counts by hand."""

import json

import pytest

from alfa_md.errors import UserError
from alfa_md.evaluation.comparison import ComparisonRow, compare_results, load_results, paired_rows
from alfa_md.metrics import MeanCI, mean_ci, paired_difference

PROTOCOL = {"split": "test", "seed": 0, "sampling": {"max_ways_upper_bound": 10}, "checkpoint": "0123456789abcdef"}
PROTOCOL |= {"unit": "accuracy"}
# Differences a - b by source: aircraft all +0.1 (win), dtd -0.2, -0.1 (loss), fungi +0.1, -0.1 (tie), omniglot 0 (tie)
A = {"aircraft": [0.5, 0.9], "dtd": [0.3, 0.5], "fungi": [0.5, 0.4], "omniglot": [0.8, 0.7]}
B = {"aircraft": [0.4, 0.8], "dtd": [0.5, 0.6], "fungi": [0.4, 0.5], "omniglot": [0.8, 0.7]}


def results(sources: dict, spec="spec", **protocol) -> dict:
    """The content of a results file with these scores."""
    records = {
        name: mean_ci(values)._asdict() | {"episodes": len(values), "scores": values, "data": {"spec": spec + name}}
        for name, values in sources.items()
    }
    return {"protocol": PROTOCOL | protocol, "sources": records}


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
    assert rows[1].difference == (pytest.approx(-0.15), pytest.approx(0.0692965, abs=1e-7), 2)
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
