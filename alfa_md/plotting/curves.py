"""Figure of the training and validation curves of several runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alfa_md.errors import UserError
from alfa_md.plotting import canvas
from alfa_md.reporting.figures import DASHES, QUANTITIES, run_curve
from alfa_md.reporting.summary import COSTS, RunSummary, read_runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTE = (
    "Training: thin as recorded, thick the running mean. Validation: with 95 % intervals, where recorded;\n"
    "a cross at the bottom: episodes diverged."
)
WIDTH, HEIGHT, LINE = 4.6, 3.8, 0.22  # inches: of a panel, and of a line of the legend


def plot_curves(paths: Sequence[str], stem: Path) -> list[Path]:
    """Writes the figure to STEM. Raises UserError if a path is not a run directory, or nothing is recorded yet."""
    return canvas.write_files(canvas.figure_files(stem, draw_curves(read_runs(paths))))


def draw_curves(runs: Sequence[RunSummary]) -> "Figure":
    """One panel per recorded quantity with one curve per run; time and memory are left to the report."""
    panels = {
        quantity: [run_curve(run, quantity) for run in runs] for quantity in QUANTITIES if quantity.name not in COSTS
    }
    panels = {quantity: drawn for quantity, drawn in panels.items() if any(len(points.x) for points in drawn)}
    if not panels:
        raise UserError(f"{runs[0].path}: nothing is recorded in metrics.jsonl yet; train first")
    figure = canvas.new_figure(WIDTH * len(panels), HEIGHT + LINE * len(runs), layout="constrained")
    every = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (quantity, drawn) in zip(every, panels.items(), strict=True):
        for number, points in enumerate(drawn):
            quantity.draw(axes, points, *line_style(number))
        axes.set_title(quantity.title)
        axes.set_xlabel("updates")
        axes.locator_params(axis="x", integer=True)
    for number, run in enumerate(runs):  # empty lines for the legend
        color, dash = line_style(number)
        every[0].plot([], [], color=color, linestyle=dash, linewidth=1.8, label=run.label)
    figure.legend(loc="outside lower left", frameon=False, title=NOTE, alignment="left")
    return figure


def line_style(number: int) -> tuple[str, str]:
    """Colour and dash style of a run."""
    return canvas.COLORS[number % len(canvas.COLORS)], DASHES[number // len(canvas.COLORS) % len(DASHES)]
