"""Report figures: values, recorded quantities, and colours and ids for several figures on one page."""

import json
import re
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from alfa_md.errors import UserError
from alfa_md.reporting.figures import (
    NUM_COLORS,
    QUANTITIES,
    draw_with_interval,
    render_figures,
    run_curve,
    running_mean,
)
from alfa_md.reporting.summary import read_runs
from tests.runs import write_metrics, write_run

LOSS, _, _, VALIDATION, ERROR, _, MEMORY = QUANTITIES


@pytest.fixture
def folder(tmp_path):
    return write_run(tmp_path / "run", "train.num_updates = 1000\n")


def test_a_curve_is_scaled_to_its_unit_and_has_intervals_where_they_were_recorded(folder):
    write_metrics(folder, 1000, peak_memory=3 * 2**30)
    (run,) = read_runs([str(folder)])
    x, y, ci95, _ = run_curve(run, MEMORY)
    assert x.tolist() == list(range(100, 1001, 100)) and (y == 3).all() and np.isnan(ci95).all()
    x, y, ci95, _ = run_curve(run, VALIDATION)
    assert x.tolist() == [500, 1000] and (ci95 == 2).all()
    assert y.tolist() == [100 * record["accuracy"] for record in run.validation]


def test_errors_are_drawn_without_percent(folder):
    (folder / "metrics.jsonl").write_text('{"step": 5, "group": "validation", "squared error": 0.3, "ci95": 0.1}\n')
    runs = read_runs([str(folder)])
    x, y, ci95, _ = run_curve(runs[0], ERROR)
    assert (x.tolist(), y.tolist(), ci95.tolist()) == ([5], [0.3], [0.1])
    assert [quantity.title for quantity, _ in render_figures(runs)] == ["Validation squared error"]


def test_only_quantities_that_some_run_has_recorded_are_drawn(folder, tmp_path):
    write_metrics(folder, 1000)
    other = write_run(tmp_path / "other", "")
    assert list(render_figures(read_runs([str(other)]))) == []
    write_metrics(other, 500, data_wait=0.1)
    names = [quantity.name for quantity, _ in render_figures(read_runs([str(folder), str(other)]))]
    assert names == ["loss", "accuracy", "accuracy", "data_wait"]


def test_smoothing_is_a_running_mean():
    assert running_mean(np.array([0.0, 3, 6, 0])).tolist() == [1.5, 3, 3, 3]
    ramp = np.arange(200.0)
    assert running_mean(ramp)[10:-10] == pytest.approx(ramp[10:-10])
    assert running_mean(np.tile([0.0, 1.0], 100)).std() < 0.05
    assert running_mean(np.array([])).tolist() == []


def test_figures_share_a_page_and_take_its_colours(tmp_path):
    paths = [write_run(tmp_path / f"run{number}", "") for number in range(NUM_COLORS + 1)]
    for path in paths:
        write_metrics(path, 500)
    drawn = [svg for _, svg in render_figures(read_runs(list(map(str, paths))))]
    ids = [name for svg in drawn for name in re.findall(r'\bid="([^"]+)"', svg)]
    assert len(ids) == len(set(ids)) > 20
    for svg in drawn:
        assert not re.search(r"#[0-9a-f]{6}|http|<style|font-family: [^i]", svg)
        assert {f"var(--run{number})" for number in range(NUM_COLORS)} <= set(re.findall(r"var\(--run\d\)", svg))
        assert set(re.findall(r"(?:href=\"|url\()#([^\")]+)", svg)) <= set(ids)
        ElementTree.fromstring(svg.replace("xlink:href", "href"))  # well formed
        assert "updates</text>" in svg  # text stays text


def test_the_same_run_gives_the_same_bytes(folder):
    write_metrics(folder, 1000)
    assert list(render_figures(read_runs([str(folder)]))) == list(render_figures(read_runs([str(folder)])))


def test_values_that_are_not_finite_leave_a_gap(folder):
    records = '{"step": 1, "group": "train", "loss": NaN}\n{"step": 2, "group": "train", "loss": Infinity}\n'
    (folder / "metrics.jsonl").write_text(records)
    ((quantity, svg),) = render_figures(read_runs([str(folder)]))
    assert quantity == LOSS and svg.startswith("<svg")


def test_without_matplotlib_one_line_says_what_to_install(folder, monkeypatch):
    write_metrics(folder, 1000)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UserError, match=r"^matplotlib is not installed: pip install 'alfa_md\[plot\]', or in a clone"):
        list(render_figures(read_runs([str(folder)])))


def test_validations_in_which_episodes_diverged_are_marked(folder):
    lines = [{"step": 1, "accuracy": 0.5, "ci95": 0.1}, {"step": 2, "accuracy": None, "ci95": None, "diverged": 3}]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(r | {"group": "validation"}) + "\n" for r in lines))
    (run,) = read_runs([str(folder)])
    assert run.best["step"] == 1
    curve = run_curve(run, VALIDATION)
    assert np.isnan(curve.y).tolist() == [False, True] and curve.diverged.tolist() == [0, 3]
    axes = Figure().add_subplot()
    draw_with_interval(axes, curve, "red", "solid")
    assert axes.lines[-1].get_xdata().tolist() == [2] and axes.lines[-1].get_marker() == "x"
