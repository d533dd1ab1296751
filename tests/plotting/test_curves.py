"""The figure of training curves of several runs."""

import pytest

from alfa_md.errors import UserError
from alfa_md.plotting.curves import draw_curves, line_style, plot_curves
from alfa_md.reporting.summary import read_runs
from tests.plotting.images import is_drawn, texts
from tests.runs import write_metrics, write_run


@pytest.fixture
def runs(tmp_path):
    folders = [write_run(tmp_path / name, "train.num_updates = 1000\n") for name in ("long", "short")]
    for folder, updates in zip(folders, (1000, 500), strict=True):
        write_metrics(folder, updates, data_wait=0.1, peak_memory=2**30)
    return list(map(str, folders))


def test_a_panel_a_quantity_and_a_line_a_run(runs):
    figure = draw_curves(read_runs(runs))
    titles = [axes.get_title() for axes in figure.axes]
    assert len(titles) == 3 and titles[0] == "Training loss"  # waiting and memory are costs, not curves
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["long", "short"]
    validation = figure.axes[2]
    marked = [line for line in validation.lines if len(line.get_xdata())]
    assert [list(line.get_xdata()) for line in marked] == [[500, 1000], [500]]
    expected = [100 * record["accuracy"] for record in read_runs(runs)[0].validation]
    assert list(marked[0].get_ydata()) == pytest.approx(expected)
    assert marked[0].get_color() != marked[1].get_color()


def test_every_run_looks_different_from_the_others():
    assert len({line_style(number) for number in range(24)}) == 24


def test_the_files(runs, tmp_path):
    png, svg = plot_curves(runs, tmp_path / "both")
    assert is_drawn(png) and {"long", "short", "Training loss", "updates"} <= set(texts(svg))


def test_bad_runs(runs, tmp_path):
    begun = write_run(tmp_path / "begun", "")
    with pytest.raises(UserError, match="begun: nothing is recorded in metrics.jsonl yet; train first"):
        plot_curves([str(begun)], tmp_path / "fig")
    with pytest.raises(UserError, match="nowhere is not a run directory"):
        plot_curves([*runs, str(tmp_path / "nowhere")], tmp_path / "fig")
    assert not list(tmp_path.glob("fig*"))
