"""Figures of rates and decays by tensor and inner step, over tasks: Fig. 3 and A to C of ALFA (Baik et al., 2020).

One row per tensor. Box plots over tasks: the box is the interquartile range, whiskers extend 1.5 times as far.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alfa_md.data.prefetch import prefetch
from alfa_md.errors import UserError
from alfa_md.plotting import canvas
from alfa_md.plotting.hyperparameter_values import HyperparameterValues, measure_hyperparameters
from alfa_md.plotting.loaded_run import LoadedRun
from alfa_md.system.progress import CONSOLE, Progress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, TOP, BOTTOM, SIDE = 1.25, 1.15, 0.55, 0.65  # inches
SYMBOLS = {"alpha": "α", "beta": "β = 1 − decay", "a": "a", "d": "d", "A": "A", "B": "B"}
COLORS = {name: (canvas.BLUE, canvas.ORANGE)[number % 2] for number, name in enumerate(SYMBOLS)}


class Panel(NamedTuple):
    """One panel of every row; `draw(axes, n)` draws that of tensor n. The width is in inches."""

    heading: str
    width: float
    draw: Callable[["Axes", int], None]


def plot_hyperparameters(run: LoadedRun, num_episodes: int, step: int | None, stem: Path) -> list[Path]:
    """Writes STEM (alpha, beta), for ALFA also STEM-generated (a, d) and STEM-multipliers (A, B), and STEM.csv.

    `step` is the inner step whose spread over tasks is enlarged, by default the last. Raises UserError if the learner
    has no inner loop, or not that step.
    """
    with (
        Progress("tracing", num_episodes) as progress,
        closing(prefetch(run.source, range(num_episodes), run.device)) as episodes,
    ):
        measured = measure_hyperparameters(run, with_progress(episodes, progress))
    num_steps = measured.values["alpha"].shape[1]
    if step is not None and not step < num_steps:
        raise UserError(f"--step={step}: {run.name} takes inner steps 0 to {num_steps - 1}")
    zoomed = num_steps - 1 if step is None else step
    origin = f"{run.name}, {num_episodes} {run.source.split} episodes of {run.source.name}"
    if measured.diverged:
        origin += f"; diverged {measured.diverged} of {num_episodes}, whose values are left out where not finite"
        CONSOLE.print(origin)
    contents = {}
    for ending, title, panels in figure_layouts(measured, zoomed):
        path = stem.with_name(stem.name + ending)
        contents |= canvas.figure_files(path, draw_panels(f"{title}\n{origin}", measured.labels, panels))
    written = canvas.write_files(contents | {stem.with_name(f"{stem.name}.csv"): measured.csv()})
    if warning := measured.warning():
        CONSOLE.print(warning)
    return written


def with_progress(episodes, progress: Progress):
    """Yields the episodes and advances the progress after each."""
    for episode in episodes:
        yield episode
        progress.advance()


def figure_layouts(measured: HyperparameterValues, step: int):
    """Yields (suffix of the file name, title, panels) for every figure with values."""
    values = measured.values
    effective = [name for name in values if name not in ("a", "d", "A", "B")]
    both = [panel for name in effective for panel in (panel_by_step(name, values), panel_at_step(name, values, step))]
    yield "", "Learning rate α and weight factor β of the inner loop", both
    if "a" in values:
        raw = [
            panel for name in ("a", "d") for panel in (panel_by_step(name, values), panel_at_step(name, values, step))
        ]
        yield "-generated", "Raw outputs of the generator: a for the rate, d for the decay", raw
        learned = [panel_by_step(name, values) for name in ("A", "B")]
        yield "-multipliers", "Post-multipliers: A of the rate, B of the decay, the same for every task", learned


def panel_by_step(name: str, values: dict[str, np.ndarray]) -> Panel:
    """Box plots over tasks for every inner step, and a line through the medians."""

    def draw(axes: "Axes", tensor: int) -> None:
        draw_boxes(axes, values[name][:, :, tensor], COLORS.get(name, canvas.BLUE))
        axes.set_xlabel("inner step", labelpad=1)

    return Panel(f"{SYMBOLS.get(name, name)} by inner step", 3.0, draw)


def panel_at_step(name: str, values: dict[str, np.ndarray], step: int) -> Panel:
    """The spread over tasks at one inner step around the median, on its own scale."""

    def draw(axes: "Axes", tensor: int) -> None:
        tasks = finite(values[name][:, step, tensor])
        if len(tasks) and np.ptp(tasks):
            median = np.median(tasks)
            draw_boxes(axes, (tasks - median)[:, None], COLORS.get(name, canvas.BLUE))
            axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
            axes.yaxis.offsetText.set_size(7)
            axes.set_xlabel(f"0: median {median:.5g}", labelpad=3)
        else:
            same = f"{tasks[0]:.5g}\nfor every task" if len(tasks) else "not finite"
            axes.text(0.5, 0.5, same, ha="center", va="center", transform=axes.transAxes, color=canvas.GREY)
            axes.set_yticks([])
        axes.set_xticks([])

    return Panel(f"spread over tasks\nat step {step}", 1.0, draw)


def draw_boxes(axes: "Axes", values: np.ndarray, color: str) -> None:
    """Box plots of values [E, S] at x = 0 to S - 1."""
    columns = [finite(column) for column in values.T]
    places = list(range(len(columns)))
    axes.plot(places, [np.median(column) if len(column) else np.nan for column in columns], color=color, linewidth=0.8)
    axes.boxplot(
        columns,
        positions=places,
        widths=0.5,
        manage_ticks=False,
        patch_artist=True,
        boxprops={"facecolor": color, "alpha": 0.35, "edgecolor": color},
        medianprops={"color": "black", "linewidth": 1.2},
        whiskerprops={"color": color},
        capprops={"color": color},
        flierprops={"marker": ".", "markersize": 3, "markeredgecolor": color},
    )
    axes.set_xticks(places)
    axes.set_xlim(-0.6, len(places) - 0.4)
    axes.locator_params(axis="y", nbins=4)


def finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def draw_panels(title: str, labels: Sequence[str], panels: Sequence[Panel]) -> "Figure":
    """A figure with one row per label and the panels' headings on top."""
    gaps = 0.75 * (len(panels) - 1)
    width = SIDE + sum(panel.width for panel in panels) + gaps + 0.25
    height = TOP + ROW * len(labels) + BOTTOM
    figure = canvas.new_figure(width, height)
    grid = figure.add_gridspec(
        len(labels),
        len(panels),
        width_ratios=[panel.width for panel in panels],
        left=SIDE / width,
        right=1 - 0.25 / width,
        top=1 - TOP / height,
        bottom=BOTTOM / height,
        wspace=0.75 * len(panels) / sum(panel.width for panel in panels),
        hspace=0.95,
    )
    figure.text(SIDE / width, 1 - 0.12 / height, title, va="top", fontsize=11)
    for row, label in enumerate(labels):
        for place, panel in enumerate(panels):
            axes = figure.add_subplot(grid[row, place])
            axes.tick_params(labelsize=7)
            axes.xaxis.label.set_size(7)
            panel.draw(axes, row)
            if place == 0:
                axes.set_title(label, loc="left", fontweight="bold", fontsize=8)
            if row == 0:
                axes.annotate(
                    panel.heading, (0.5, 1), (0, 18), xycoords="axes fraction", textcoords="offset points", ha="center"
                )
    return figure
