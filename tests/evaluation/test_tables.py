"""Tables of results: the content of every cell."""

import csv
import io

import pytest
from rich.console import Console

from alfa_md.evaluation.tables import (
    csv_text,
    divergence_note,
    mean_over_sources,
    results_csv,
    results_markdown,
    results_table,
    select_records,
    source_means,
    unit_description,
)
from alfa_md.metrics import ACCURACY, SQUARED_ERROR, MeanCI

COLUMNS = {
    "proto_maml_alfa": {"ilsvrc_2012": MeanCI(0.5, 0.01, 600), "omniglot": MeanCI(0.75, 0.0125, 600)},
    "pixel": {"omniglot": MeanCI(1 / 3, 0.02, 600)},
}


def test_a_column_holds_the_named_sources_in_their_order():
    record = {"mean": 0.5, "ci95": 0.1, "episodes": 3, "data": {}, "scores": [0.4, 0.5, 0.6]}
    sources = {"fungi": record, "dtd": record | {"mean": 0.25}, "mscoco": record}
    assert source_means(select_records(sources, ["dtd", "fungi", "aircraft"])) == {
        "dtd": MeanCI(0.25, 0.1, 3),
        "fungi": MeanCI(0.5, 0.1, 3),
    }
    assert list(select_records(sources, ["dtd", "fungi"])) == ["dtd", "fungi"]


def test_the_mean_over_sources_weighs_them_equally():
    assert mean_over_sources(COLUMNS["proto_maml_alfa"]) == 0.625
    assert mean_over_sources({"a": MeanCI(0.2, 0, 1), "b": MeanCI(0.4, 0, 999)}) == pytest.approx(0.3)


def test_table_has_sources_down_and_learners_across():
    result = results_table("test: accuracy", COLUMNS, ACCURACY)
    assert [c.header for c in result.columns] == ["source", "proto_maml_alfa", "pixel"]
    assert [list(c.cells) for c in result.columns] == [
        ["ilsvrc_2012", "omniglot", "mean"],
        ["50.00±1.00", "75.00±1.25", "62.50"],
        ["", "33.33±2.00", "33.33 over 1 of 2"],
    ]


def test_table_is_readable_on_a_terminal():
    console = Console(file=io.StringIO(), width=80)
    console.print(results_table("test: accuracy", COLUMNS, ACCURACY))
    lines = [line for line in console.file.getvalue().splitlines() if "omniglot" in line]
    assert len(lines) == 1 and "75.00±1.25" in lines[0] and "33.33±2.00" in lines[0]


def test_csv_has_a_line_for_every_learner_and_source():
    measured = {
        learner: {s: {"mean": r.mean, "ci95": r.ci95, "episodes": r.n} for s, r in results.items()}
        for learner, results in COLUMNS.items()
    }
    measured["pixel"]["omniglot"]["query_std"] = 0.4714045
    text = results_csv(measured, "miniature", ACCURACY)
    assert list(csv.DictReader(io.StringIO(text)))[1] == {
        "learner": "proto_maml_alfa",
        "source": "omniglot",
        "mean": "0.750000",
        "ci95": "0.012500",
        "episodes": "600",
        "diverged": "0",
        "data": "miniature",
        "unit": "accuracy",
        "query_std": "",
    }
    assert text.splitlines()[0] == "learner,source,mean,ci95,episodes,data,unit,query_std,diverged"
    assert text.splitlines()[3:] == ["pixel,omniglot,0.333333,0.020000,600,miniature,accuracy,0.471405,0"]


def test_markdown_is_the_row_of_the_leaderboard():
    assert results_markdown(COLUMNS, ACCURACY, "Config c, checkpoint k.") == (
        "| learner | ilsvrc_2012 | omniglot | mean |\n"
        "|---|---|---|---|\n"
        "| proto_maml_alfa | 50.00±1.00 | 75.00±1.25 | 62.50 |\n"
        "| pixel |  | 33.33±2.00 | 33.33 over 1 of 2 |\n"
        "\n"
        "Config c, checkpoint k.\n"
    )


def test_errors_are_written_as_they_are_and_not_in_percent():
    columns = {"maml": {"sine": MeanCI(0.2984, 0.0123, 600)}}
    result = results_table(f"test: {unit_description(SQUARED_ERROR)}", columns, SQUARED_ERROR)
    assert result.title == "test: squared error"
    assert list(result.columns[1].cells) == ["0.298±0.012", "0.298"]
    assert "| maml | 0.298±0.012 | 0.298 |" in results_markdown(columns, SQUARED_ERROR, "")


def test_extra_columns_are_right_of_the_results_and_below_in_markdown():
    extra = {"pixel: spread": {"omniglot": "0.471"}}
    result = results_table("test", COLUMNS, ACCURACY, extra)
    assert [c.header for c in result.columns] == ["source", "proto_maml_alfa", "pixel", "pixel: spread"]
    assert list(result.columns[3].cells) == ["", "0.471", ""]
    assert "\n| pixel: spread |  | 0.471 |  |\n" in results_markdown(COLUMNS, ACCURACY, "", extra)


@pytest.mark.parametrize("name", ["=1+1", "+1+1", "-1+cmd", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_name_in_a_csv_is_a_formula(name):
    record = {"mean": 0.5, "ci95": 0.1, "episodes": 3}
    text = results_csv({name: {name: record}}, "records", ACCURACY)
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    assert line["learner"] == line["source"] == "'" + name.replace("\t", " ").replace("\r", " ")
    assert csv_text(["a", "b"], [{"a": "-0.5", "b": -1}]) == "a,b\n-0.5,-1\n"


def test_a_name_ends_no_cell_or_line_of_markdown():
    text = results_markdown({"a|b\nc": COLUMNS["pixel"]}, ACCURACY, "")
    assert text.splitlines()[2] == "| a&#124;b c | 33.33±2.00 | 33.33 |"


def test_episodes_that_diverged_are_in_every_table():
    record = {"mean": None, "ci95": None, "episodes": 3, "diverged": [0, 1, 2]}
    columns = {"maml": source_means({"sine": record, "more": {"mean": 0.5, "ci95": 0.1, "episodes": 3}})}
    shown = results_table("test", columns, SQUARED_ERROR)
    assert list(shown.columns[1].cells) == ["- (diverged 3 of 3)", "0.500±0.100", "-"]
    note = divergence_note(columns, SQUARED_ERROR)
    assert "| maml | - (diverged 3 of 3) | 0.500±0.100 | - |" in results_markdown(columns, SQUARED_ERROR, note)
    assert results_csv({"maml": {"sine": record}}, "generated", SQUARED_ERROR).splitlines()[1] == (
        "maml,sine,,,3,generated,squared error,,3"
    )
    assert divergence_note(COLUMNS, ACCURACY) == "" and "are left out of the mean" in note
    assert "count as 0.00" in divergence_note({"a": {"b": MeanCI(0.5, 0.1, 3, 1)}}, ACCURACY)


def test_the_mean_over_no_source_is_no_number():
    assert list(results_table("test", {"a": {}}, ACCURACY).columns[1].cells) == ["-"]
