"""What all figures share: matplotlib where it is installed, colours, and files that are written all or none."""

import io
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alfa_md.system.extras import require_matplotlib
from alfa_md.system.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
DPI = 130
COLORS = ("#0b62b0", "#c2500a", "#0a7d5a", "#a8397f", "#6a51a3", "#8c6d00", "#b3202c", "#4d5664")
BLUE, ORANGE, GREY = COLORS[0], COLORS[1], COLORS[-1]  # told apart by eyes of every kind
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
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "alfa_md",  # the same figure gives the same bytes
}


@contextmanager
def style() -> Iterator[None]:
    """Within, figures look alike. Raises UserError where matplotlib is not installed."""
    with require_matplotlib().rc_context(STYLE):
        yield


def new_figure(width: float, height: float, **layout) -> "Figure":
    """An empty figure of this size in inches, which no window shows."""
    return require_matplotlib().figure.Figure(figsize=(width, height), **layout)


def stem(out: str | None, run: Path, name: str) -> Path:
    """Where a figure goes without its ending: `out`, or else RUN/figures/NAME."""
    if out is None:
        return run / "figures" / name
    path = Path(out).expanduser()
    return path.with_suffix("") if path.suffix.removeprefix(".") in FORMATS else path


def files(path: Path, figure: "Figure") -> dict[Path, bytes]:
    """A figure in both formats, under this path without ending."""
    return {path.with_name(f"{path.name}.{kind}"): rendered(figure, kind) for kind in FORMATS}


def rendered(figure: "Figure", kind: str) -> bytes:
    content = io.BytesIO()
    plain = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(content, format=kind, dpi=DPI, metadata=plain)
    return content.getvalue()


def write(contents: Mapping[Path, bytes]) -> list[Path]:
    """Writes finished files, all of them or none, in a folder that is made where it is missing."""
    with ExitStack() as stack:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(atomic_write(path)).write(content)
    return list(contents)
