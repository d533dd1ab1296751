"""Training curves of several runs as inline SVG: one figure per quantity, in the page's colours."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from alfa_md.evaluation.tables import UNITS
from alfa_md.reporting.summary import RunSummary
from alfa_md.system.extras import require_matplotlib
from alfa_md.values import LARGEST

NUM_COLORS = 8  # further runs repeat the colours with the next dash style
MAX_MARKED_POINTS = 60  # curves with more points have no markers
DASHES = ("solid", "dashed", "dotted")  # valid in matplotlib and in CSS
INK, GRID = "#fe0001", "#fe0002"  # placeholders, replaced by the page's CSS variables
SIZE = (5.2, 3.1)  # inches


class RunCurve(NamedTuple):
    """One run's curve [n]: updates, values, half widths of their 95 % intervals (NaN if none), diverged episodes."""

    x: np.ndarray
    y: np.ndarray
    ci95: np.ndarray
    diverged: np.ndarray


def draw_smoothed(axes, points: RunCurve, shade: str, dash: str) -> None:
    """Draws noisy values as a thin line, with their running mean on top."""
    axes.plot(points.x, points.y, color=shade, linewidth=0.8, alpha=0.25)
    axes.plot(points.x, running_mean(points.y), color=shade, linestyle=dash, linewidth=1.8)


def draw_with_interval(axes, points: RunCurve, shade: str, dash: str) -> None:
    """Draws values with a band for their intervals, markers if there are few, and crosses where episodes diverged."""
    axes.fill_between(points.x, points.y - points.ci95, points.y + points.ci95, color=shade, alpha=0.18, linewidth=0)
    marker = "o" if len(points.x) <= MAX_MARKED_POINTS else ""
    axes.plot(points.x, points.y, color=shade, linestyle=dash, linewidth=1.8, marker=marker, markersize=3.5)
    marked = points.x[points.diverged > 0]
    if len(marked):
        axes.plot(marked, np.full(len(marked), 0.03), "x", color=shade, transform=axes.get_xaxis_transform())


class Quantity(NamedTuple):
    """The quantity of one figure: a value of the records of one group ("train", "validation"), times `scale`.

    `bottom` is the lower limit of the axis, None for automatic.
    """

    title: str
    group: str
    name: str
    draw: Callable
    scale: float = 1.0
    bottom: float | None = None


def score_quantities(title: str, group: str, draw: Callable) -> Iterator[Quantity]:
    """The score of a group, one quantity per unit."""
    for unit in UNITS.values():
        symbol = f", {unit.symbol}" if unit.symbol else ""
        yield Quantity(f"{title} {unit.name}{symbol}", group, unit.name, draw, unit.factor)


QUANTITIES = (
    Quantity("Training loss", "train", "loss", draw_smoothed),
    *score_quantities("Training", "train", draw_smoothed),
    *score_quantities("Validation", "validation", draw_with_interval),
    Quantity("Time spent waiting for data, %", "train", "data_wait", draw_with_interval, 100, 0),
    Quantity("Peak memory, GiB", "train", "peak_memory", draw_with_interval, 2**-30, 0),
)


def render_figures(runs: Sequence[RunSummary]) -> Iterator[tuple[Quantity, str]]:
    """Yields quantity and SVG for every quantity recorded by any of the runs.

    Raises UserError if matplotlib is not installed.
    """
    for quantity in QUANTITIES:
        drawn = [run_curve(run, quantity) for run in runs]
        if any(len(points.x) for points in drawn):
            yield quantity, render_svg(quantity, drawn)


def run_curve(run: RunSummary, quantity: Quantity) -> RunCurve:
    """A quantity over the updates of a run; empty if it was not recorded."""
    records = [record for record in getattr(run, quantity.group) if quantity.name in record]
    values = [[r["step"], r[quantity.name], r.get("ci95", np.nan), r.get("diverged", 0)] for r in records]
    table = np.array(values, dtype=float).reshape(-1, 4)  # null becomes NaN
    table[~(np.abs(table) <= LARGEST)] = np.nan  # Matplotlib cannot find ticks near the end of float64
    x, y, ci95, diverged = table.T
    return RunCurve(x, quantity.scale * y, quantity.scale * ci95, diverged)


def running_mean(values: np.ndarray) -> np.ndarray:
    """Centred running means [n] over a tenth of the points, at least three; fewer at the ends."""
    reach = max(1, len(values) // 20)
    return np.array([np.mean(values[max(0, i - reach) : i + reach + 1]) for i in range(len(values))])


def render_svg(quantity: Quantity, curves: Sequence[RunCurve]) -> str:
    """One figure as an `<svg>` element that inherits colours and font from the page."""
    matplotlib, figure = _new_figure()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": quantity.title, "font.size": 11}):
        axes = figure.add_subplot()
        for number, points in enumerate(curves):
            quantity.draw(axes, points, placeholder_color(number), DASHES[number // NUM_COLORS % len(DASHES)])
        axes.set_ylim(bottom=quantity.bottom)
        _style_axes(axes)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(text.getvalue(), quantity)


def placeholder_color(number: int) -> str:
    """The placeholder for the colour of a run; `_inline` replaces it by the page's variable --run<n>."""
    return f"#fe01{number % NUM_COLORS:02x}"


def _new_figure() -> tuple:
    matplotlib = require_matplotlib()
    return matplotlib, matplotlib.figure.Figure(figsize=SIZE, layout="constrained")


def _style_axes(axes) -> None:
    axes.set_xlabel("updates", color=INK)
    axes.tick_params(colors=INK, length=3)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.xaxis.set_major_locator(_few_ticks())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}k" if value >= 10_000 else f"{value:g}")


def _few_ticks():
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=5, integer=True)


def _inline(text: str, quantity: Quantity) -> str:
    """The bare `<svg>` element: without header, style and font, with unique ids and the page's colour variables."""
    drawing = text[text.index("<svg") :]
    size, body = re.search(r'viewBox="[^"]*"', drawing)[0], drawing[drawing.index(">") + 1 :]
    prefix = re.sub(r"\W+", "-", quantity.title.lower())
    for pattern, new in (
        (r"(?s)<(metadata|style)\b.*?</\1>", ""),
        (r"font-family: [^;\"]*", "font-family: inherit"),
        (r"(\bid=\"|href=\"#|url\(#)", rf"\g<1>{prefix}-"),
        (INK, "var(--ink)"),
        (GRID, "var(--rule)"),
        (r"#fe01([0-9a-f]{2})", lambda found: f"var(--run{int(found[1], 16)})"),
    ):
        body = re.sub(pattern, new, body)
    return f'<svg {size} role="img" aria-label="{quantity.title}, over updates">{body}'
