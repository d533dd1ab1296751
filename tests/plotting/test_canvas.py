"""Figure files: both formats, atomic writes, reproducible bytes, the error without matplotlib."""

import sys
from pathlib import Path

import pytest

from alfa_md.errors import UserError
from alfa_md.plotting import canvas
from tests.plotting.images import opened


def figure():
    drawn = canvas.new_figure(2, 1)
    drawn.subplots().plot([0, 1], [0, 1], label="x")
    return drawn


def test_a_figure_is_a_png_and_an_svg_of_its_size(tmp_path):
    written = canvas.write_files(canvas.figure_files(tmp_path / "fig.1", figure()))
    assert [path.name for path in written] == ["fig.1.png", "fig.1.svg"]
    assert opened(written[0]).size == (2 * canvas.DPI, canvas.DPI)
    assert opened(written[1]).tag.endswith("svg")


def test_the_same_figure_gives_the_same_bytes():
    assert canvas.figure_files(Path("a"), figure()) == canvas.figure_files(Path("a"), figure())


@pytest.mark.parametrize(
    ("out", "expected"),
    [(None, "run/figures/curves"), ("a/b", "a/b"), ("a/b.png", "a/b"), ("b.svg", "b"), ("v1.2", "v1.2")],
)
def test_where_a_figure_goes(out, expected):
    assert canvas.output_stem(out, Path("run"), "curves") == Path(expected)


def test_the_folder_is_made_where_it_is_missing(tmp_path):
    canvas.write_files({tmp_path / "new" / "figures" / "a.csv": b"1"})
    assert (tmp_path / "new" / "figures" / "a.csv").read_bytes() == b"1"


def test_files_are_written_all_or_none(tmp_path):
    kept = tmp_path / "a.csv"
    kept.write_bytes(b"before")
    with pytest.raises(FileExistsError):
        canvas.write_files({tmp_path / "b.csv": b"1", kept / "c.csv": b"1"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"] and kept.read_bytes() == b"before"


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UserError, match=r"^matplotlib is not installed: pip install 'alfa_md\[plot\]', or in a clone"):
        with canvas.figure_style():
            pass
