"""Tables of results: what is in each cell."""

import csv
import io

import pytest
from rich.console import Console

from alfa_md.metrics import MeanCI
from alfa_md.tables import as_csv, as_markdown, column, mean_over_sources, table

COLUMNS = {
    "proto_maml_alfa": {"ilsvrc_2012": MeanCI(0.5, 0.01, 600), "omniglot": MeanCI(0.75, 0.0125, 600)},
    "pixel": {"omniglot": MeanCI(1 / 3, 0.02, 600)},
}


def test_a_column_holds_the_named_sources_in_their_order():
    record = {"mean": 0.5, "ci95": 0.1, "episodes": 3, "data": {}, "accuracies": [0.4, 0.5, 0.6]}
    sources = {"fungi": record, "dtd": record | {"mean": 0.25}, "mscoco": record}
    assert column(sources, ["dtd", "fungi", "aircraft"]) == {
        "dtd": MeanCI(0.25, 0.1, 3),
        "fungi": MeanCI(0.5, 0.1, 3),
    }
    assert list(column(sources, ["dtd", "fungi"])) == ["dtd", "fungi"]


def test_the_mean_over_sources_weighs_them_equally():
    assert mean_over_sources(COLUMNS["proto_maml_alfa"]) == 0.625
    assert mean_over_sources({"a": MeanCI(0.2, 0, 1), "b": MeanCI(0.4, 0, 999)}) == pytest.approx(0.3)


def test_table_has_sources_down_and_learners_across():
    result = table("test: accuracy", COLUMNS)
    assert [c.header for c in result.columns] == ["source", "proto_maml_alfa", "pixel"]
    assert [list(c.cells) for c in result.columns] == [
        ["ilsvrc_2012", "omniglot", "mean"],
        ["50.00±1.00", "75.00±1.25", "62.50"],
        ["", "33.33±2.00", "33.33"],
    ]


def test_table_is_readable_on_a_terminal():
    console = Console(file=io.StringIO(), width=80)
    console.print(table("test: accuracy", COLUMNS))
    lines = [line for line in console.file.getvalue().splitlines() if "omniglot" in line]
    assert len(lines) == 1 and "75.00±1.25" in lines[0] and "33.33±2.00" in lines[0]


def test_csv_has_a_line_for_every_learner_and_source():
    text = as_csv(COLUMNS, "miniature")
    assert list(csv.DictReader(io.StringIO(text)))[1] == {
        "learner": "proto_maml_alfa",
        "source": "omniglot",
        "mean": "0.750000",
        "ci95": "0.012500",
        "episodes": "600",
        "data": "miniature",
    }
    assert text.splitlines()[0] == "learner,source,mean,ci95,episodes,data"
    assert text.splitlines()[3:] == ["pixel,omniglot,0.333333,0.020000,600,miniature"]


def test_markdown_is_the_row_of_the_leaderboard():
    assert as_markdown(COLUMNS, "Config c, checkpoint k.") == (
        "| learner | ilsvrc_2012 | omniglot | mean |\n"
        "|---|---|---|---|\n"
        "| proto_maml_alfa | 50.00±1.00 | 75.00±1.25 | 62.50 |\n"
        "| pixel |  | 33.33±2.00 | 33.33 |\n"
        "\n"
        "Config c, checkpoint k.\n"
    )
