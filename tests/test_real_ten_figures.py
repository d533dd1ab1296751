"""The figures of ten sources of real images, drawn from stored results."""

import json
import re

import numpy as np
import pytest

from alfa_md.errors import UserError
from alfa_md.experiment.definition import META_DATASET
from alfa_md.plotting import canvas
from scripts import real_ten_figures, real_ten_rates
from scripts.real_ten_study import TITLES
from tests.plotting.images import texts


def stored(folder, variant, seed, level):
    """A stored result of four episodes, whose accuracies lie around a level that is higher for later sources."""
    sources = {
        name: {"mean": level + place / 100, "ci95": 0.1, "scores": [level + place / 100 + d for d in (-0.1, 0, 0, 0.1)]}
        for place, name in enumerate(META_DATASET)
    }
    content = {"variant": variant, "seed": seed, "sources": sources}
    (folder / "real_ten").mkdir(parents=True, exist_ok=True)
    (folder / "real_ten" / f"{variant}-seed{seed}.json").write_text(json.dumps(content))


def test_bars_are_the_stored_means_with_their_intervals(tmp_path):
    stored(tmp_path, "maml", 0, 0.3)
    stored(tmp_path, "maml", 1, 0.5)
    stored(tmp_path, "proto-maml-alfa", 0, 0.6)
    found = real_ten_figures.load(tmp_path / "real_ten")
    (axes,) = real_ten_figures.accuracy_figure(found).axes
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == pytest.approx([*np.arange(40, 50), *np.arange(60, 70)])  # two seeds are averaged
    assert [tick.get_text() for tick in axes.get_xticklabels()] == list(META_DATASET)
    whisker = axes.containers[-1].errorbar.lines[2][0].get_segments()[0]
    assert np.ptp(whisker[:, 1]) == pytest.approx(2 * 100 * 1.96 * np.std([-0.1, 0, 0, 0.1]) / 2)
    assert real_ten_figures.main([f"--store={tmp_path}", f"--out={tmp_path / 'docs'}"]) == 0
    assert [file.name for file in (tmp_path / "docs").iterdir()] == ["real_ten.svg"]
    words = texts(tmp_path / "docs" / "real_ten.svg")
    assert f"{TITLES['maml']} (2 seeds)" in words and f"{TITLES['proto-maml-alfa']} (1 seed)" in words


def test_rates_are_lines_of_medians_by_source(tmp_path):
    quartiles = np.arange(30, dtype=float).reshape(3, 5, 2) / 100
    content = {"run": "alfa", "episodes": 20, "tensors": ["backbone.layers.0.0.weight", "head.weight"]}
    values = {"alpha": quartiles.tolist(), "beta": (1 - quartiles).tolist()}
    file = tmp_path / "rates.json"
    file.write_text(json.dumps(content | {"sources": dict.fromkeys(real_ten_rates.SOURCES, values)}))
    drawn = real_ten_rates.figure(file)
    assert len(drawn.axes) == 2 * len(real_ten_rates.SOURCES)
    rates, head = drawn.axes[0].lines
    assert list(rates.get_ydata()) == list(quartiles[1, :, 0]) and list(head.get_ydata()) == list(quartiles[1, :, 1])
    assert list(drawn.axes[-1].lines[1].get_ydata()) == list(1 - quartiles[1, :, 1])
    with canvas.figure_style():
        assert re.search(rb">omniglot<", canvas.render(drawn, "svg"))


def test_a_damaged_file_and_an_empty_store_are_refused(tmp_path):
    file = tmp_path / "rates.json"
    file.write_text('{"run": "alfa"}')
    with pytest.raises(UserError, match="rates.json holds no rates; measure them again"):
        real_ten_rates.figure(file)
    with pytest.raises(UserError, match="has no results of real_ten; run python -m scripts.measure real_ten first"):
        real_ten_figures.main([f"--store={tmp_path}", f"--out={tmp_path}"])
    assert list(tmp_path.iterdir()) == [file]
