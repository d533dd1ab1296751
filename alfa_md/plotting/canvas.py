"""Shared parts of all figures: matplotlib style, colours, rendering, and atomic writing of the files."""

import io
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alfa_md.system.extras import require_matplotlib
from alfa_md.system.files import atomic_write
from alfa_md.system.user_path import output_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
DPI = 130
COLORS = ("#0b62b0", "#c2500a", "#0a7d5a", "#a8397f", "#6a51a3", "#8c6d00", "#b3202c", "#4d5664")
BLUE, ORANGE, GREY = COLORS[0], COLORS[1], COLORS[-1]  # distinguishable with any colour vision
STYLE = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": "#e2e5ea",
    "grid.linewidth": 0.6,
    "svg.fonttype": "none",  # text elements instead of paths
    "svg.hashsalt": "alfa_md",  # reproducible bytes
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Sets the style of figures for the block. Raises UserError if matplotlib is not installed."""
    with require_matplotlib().rc_context(STYLE):
        yield


def new_figure(width: float, height: float, **layout) -> "Figure":
    """An empty figure of this size in inches, without a window."""
    return require_matplotlib().figure.Figure(figsize=(width, height), **layout)


def output_stem(out: str | None, run: Path, name: str) -> Path:
    """The path of a figure without extension: `out`, by default RUN/figures/NAME."""
    if out is None:
        return run / "figures" / name
    path = output_path(out)
    return path.with_suffix("") if path.suffix.removeprefix(".") in FORMATS else path


def figure_files(path: Path, figure: "Figure") -> dict[Path, bytes]:
    """A figure rendered in all formats, by file name; `path` has no extension."""
    return {path.with_name(f"{path.name}.{kind}"): render(figure, kind) for kind in FORMATS}


def render(figure: "Figure", kind: str) -> bytes:
    """The bytes of a figure in the format `kind`."""
    content = io.BytesIO()
    plain = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(content, format=kind, dpi=DPI, metadata=plain)
    return content.getvalue()


def write_files(contents: Mapping[Path, bytes]) -> list[Path]:
    """Writes all files or none, creating missing folders; returns their paths."""
    with ExitStack() as stack:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(atomic_write(path)).write(content)
    return list(contents)
