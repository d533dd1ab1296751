"""Curves of several runs as inline SVG: one small figure a quantity, in colours that follow the page's own."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from alfa_md.evaluation.tables import UNITS
from alfa_md.reporting.summary import RunSummary
from alfa_md.system.extras import require_matplotlib

NUM_COLORS = 8  # after which runs repeat them with another dash
FEW = 60  # points that still get a mark each
DASHES = ("solid", "dashed", "dotted")  # names that CSS has, too
INK, GRID = "#fe0001", "#fe0002"  # stand-ins, replaced by the page's variables
SIZE = (5.2, 3.1)  # inches of 72 units: wide enough for a phone without shrinking the text much


class Curve(NamedTuple):
    """The points of one run: updates, values, and half widths of their intervals (NaN where there is none)."""

    x: np.ndarray
    y: np.ndarray
    ci95: np.ndarray


def noisy(axes, points: Curve, shade: str, dash: str) -> None:
    """Values of single updates jump: thin as they are, and their running mean above."""
    axes.plot(points.x, points.y, color=shade, linewidth=0.8, alpha=0.25)
    axes.plot(points.x, smoothed(points.y), color=shade, linestyle=dash, linewidth=1.8)


def exact(axes, points: Curve, shade: str, dash: str) -> None:
    """Values as they are, with a band for their intervals; marked where they are few."""
    axes.fill_between(points.x, points.y - points.ci95, points.y + points.ci95, color=shade, alpha=0.18, linewidth=0)
    marker = "o" if len(points.x) <= FEW else ""
    axes.plot(points.x, points.y, color=shade, linestyle=dash, linewidth=1.8, marker=marker, markersize=3.5)


class Quantity(NamedTuple):
    """What a figure shows: a value of the run's records of one group ("train", "validation"), scaled to a unit.

    `bottom` is where its axis starts, if not with the values.
    """

    title: str
    group: str
    name: str
    draw: Callable
    scale: float = 1.0
    bottom: float | None = None


def score(title: str, group: str, draw: Callable) -> Iterator[Quantity]:
    """The score of a group, in every unit that a run may have it in."""
    for unit in UNITS.values():
        symbol = f", {unit.symbol}" if unit.symbol else ""
        yield Quantity(f"{title} {unit.name}{symbol}", group, unit.name, draw, unit.factor)


QUANTITIES = (
    Quantity("Training loss", "train", "loss", noisy),
    *score("Training", "train", noisy),
    *score("Validation", "validation", exact),
    Quantity("Time spent waiting for data, %", "train", "data_wait", exact, 100, 0),
    Quantity("Peak memory, GiB", "train", "peak_memory", exact, 2**-30, 0),
)


def figures(runs: Sequence[RunSummary]) -> Iterator[tuple[Quantity, str]]:
    """A quantity and its SVG, for every quantity that some run has recorded.

    Raises UserError where matplotlib is not installed.
    """
    for quantity in QUANTITIES:
        drawn = [curve(run, quantity) for run in runs]
        if any(len(points.x) for points in drawn):
            yield quantity, svg(quantity, drawn)


def curve(run: RunSummary, quantity: Quantity) -> Curve:
    """A quantity over the updates of a run; empty where it was not recorded."""
    records = [record for record in getattr(run, quantity.group) if quantity.name in record]
    values = [[record["step"], record[quantity.name], record.get("ci95", np.nan)] for record in records]
    x, y, ci95 = np.array(values, dtype=float).reshape(-1, 3).T
    return Curve(x, quantity.scale * y, quantity.scale * ci95)


def smoothed(values: np.ndarray) -> np.ndarray:
    """Running means [n] over a tenth of the points and three at least; fewer at the ends."""
    reach = max(1, len(values) // 20)
    return np.array([np.mean(values[max(0, i - reach) : i + reach + 1]) for i in range(len(values))])


def svg(quantity: Quantity, curves: Sequence[Curve]) -> str:
    """One figure as an `<svg>` element that takes its colours and font from the page around it."""
    matplotlib, figure = _new_figure()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": quantity.title, "font.size": 11}):
        axes = figure.add_subplot()
        for number, points in enumerate(curves):
            quantity.draw(axes, points, color(number), DASHES[number // NUM_COLORS % len(DASHES)])
        axes.set_ylim(bottom=quantity.bottom)
        _dress(axes)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(text.getvalue(), quantity)


def color(number: int) -> str:
    """The stand-in for the color of a run; `_inline` makes it the page's variable --run<n>."""
    return f"#fe01{number % NUM_COLORS:02x}"


def _new_figure() -> tuple:
    matplotlib = require_matplotlib()
    return matplotlib, matplotlib.figure.Figure(figsize=SIZE, layout="constrained")


def _dress(axes) -> None:
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
    """The element alone: no header, style or font of its own, ids that no other figure has, the page's colours."""
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
