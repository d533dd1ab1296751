"""Rates and decays of every tensor by inner step, over tasks: Fig. 3 and A to C of ALFA (Baik et al., NeurIPS 2020).

One row a tensor; a box holds the middle half of the tasks, its whiskers reach 1.5 times as far, points are beyond.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alfa_md.data.prefetch import prefetch
from alfa_md.errors import UserError
from alfa_md.plotting import canvas
from alfa_md.plotting.measured import Measured, measure
from alfa_md.plotting.subject import Subject
from alfa_md.system.progress import CONSOLE, Progress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, TOP, BOTTOM, SIDE = 1.25, 1.15, 0.55, 0.65  # inches
SIGNS = {"alpha": "α", "beta": "β = 1 − decay", "a": "a", "d": "d", "A": "A", "B": "B"}
COLORS = {name: (canvas.BLUE, canvas.ORANGE)[number % 2] for number, name in enumerate(SIGNS)}


class Column(NamedTuple):
    """One panel of every row: what it shows of tensor n, its width in inches, its heading."""

    heading: str
    width: float
    draw: Callable[["Axes", int], None]


def hyperparameters(subject: Subject, num_episodes: int, step: int | None, stem: Path) -> list[Path]:
    """Writes STEM (alpha, beta), of ALFA also STEM-generated (a, d) and STEM-multipliers (A, B), and STEM.csv.

    `step` is the one whose spread over tasks is enlarged, by default the last. Raises UserError for a learner without
    inner loop, and for a step that it does not take.
    """
    with (
        Progress("tracing", num_episodes) as progress,
        closing(prefetch(subject.source, range(num_episodes), subject.device)) as episodes,
    ):
        measured = measure(subject, counted(episodes, progress))
    num_steps = measured.values["alpha"].shape[1]
    if step is not None and not step < num_steps:
        raise UserError(f"--step={step}: {subject.name} takes inner steps 0 to {num_steps - 1}")
    zoomed = num_steps - 1 if step is None else step
    origin = f"{subject.name}, {num_episodes} {subject.source.split} episodes of {subject.source.name}"
    contents = {}
    for ending, title, columns in sheets(measured, zoomed):
        path = stem.with_name(stem.name + ending)
        contents |= canvas.files(path, sheet(f"{title}\n{origin}", measured.labels, columns))
    written = canvas.write(contents | {stem.with_name(f"{stem.name}.csv"): measured.csv()})
    if warning := measured.warning():
        CONSOLE.print(warning)
    return written


def counted(episodes, progress: Progress):
    for episode in episodes:
        yield episode
        progress.advance()


def sheets(measured: Measured, step: int):
    """(ending of the file name, title, columns) of every figure that there are values for."""
    values = measured.values
    effective = [name for name in values if name not in ("a", "d", "A", "B")]
    both = [column for name in effective for column in (by_step(name, values), enlarged(name, values, step))]
    yield "", "Learning rate α and weight factor β of the inner loop", both
    if "a" in values:
        raw = [column for name in ("a", "d") for column in (by_step(name, values), enlarged(name, values, step))]
        yield "-generated", "Raw outputs of the generator: a for the rate, d for the decay", raw
        learned = [by_step(name, values) for name in ("A", "B")]
        yield "-multipliers", "Post-multipliers: A of the rate, B of the decay, the same for every task", learned


def by_step(name: str, values: dict[str, np.ndarray]) -> Column:
    """Boxes over tasks, one an inner step, and a line through their medians."""

    def draw(axes: "Axes", tensor: int) -> None:
        boxes(axes, values[name][:, :, tensor], COLORS.get(name, canvas.BLUE))
        axes.set_xlabel("inner step", labelpad=1)

    return Column(f"{SIGNS.get(name, name)} by inner step", 3.0, draw)


def enlarged(name: str, values: dict[str, np.ndarray], step: int) -> Column:
    """The tasks at one step around their median, at a scale of their own."""

    def draw(axes: "Axes", tensor: int) -> None:
        tasks = finite(values[name][:, step, tensor])
        if len(tasks) and np.ptp(tasks):
            median = np.median(tasks)
            boxes(axes, (tasks - median)[:, None], COLORS.get(name, canvas.BLUE))
            axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
            axes.yaxis.offsetText.set_size(7)
            axes.set_xlabel(f"0: median {median:.5g}", labelpad=3)
        else:
            same = f"{tasks[0]:.5g}\nfor every task" if len(tasks) else "not finite"
            axes.text(0.5, 0.5, same, ha="center", va="center", transform=axes.transAxes, color=canvas.GREY)
            axes.set_yticks([])
        axes.set_xticks([])

    return Column(f"spread over tasks\nat step {step}", 1.0, draw)


def boxes(axes: "Axes", values: np.ndarray, color: str) -> None:
    """Box plots of values [E, S] at 0 to S - 1."""
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


def sheet(title: str, labels: Sequence[str], columns: Sequence[Column]) -> "Figure":
    """A row for every label, above it the headings of the columns."""
    gaps = 0.75 * (len(columns) - 1)
    width = SIDE + sum(column.width for column in columns) + gaps + 0.25
    height = TOP + ROW * len(labels) + BOTTOM
    figure = canvas.new_figure(width, height)
    grid = figure.add_gridspec(
        len(labels),
        len(columns),
        width_ratios=[column.width for column in columns],
        left=SIDE / width,
        right=1 - 0.25 / width,
        top=1 - TOP / height,
        bottom=BOTTOM / height,
        wspace=0.75 * len(columns) / sum(column.width for column in columns),
        hspace=0.95,
    )
    figure.text(SIDE / width, 1 - 0.12 / height, title, va="top", fontsize=11)
    for row, label in enumerate(labels):
        for place, column in enumerate(columns):
            axes = figure.add_subplot(grid[row, place])
            axes.tick_params(labelsize=7)
            axes.xaxis.label.set_size(7)
            column.draw(axes, row)
            if place == 0:
                axes.set_title(label, loc="left", fontweight="bold", fontsize=8)
            if row == 0:
                axes.annotate(
                    column.heading, (0.5, 1), (0, 18), xycoords="axes fraction", textcoords="offset points", ha="center"
                )
    return figure
