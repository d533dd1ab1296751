"""Figure of a few-shot regression: the true curve, the support points, and the prediction after every inner step."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from alfa_md.data.sinusoid import SineCurve
from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.evaluation.scores import finite_score
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.tracing import fast_weights
from alfa_md.plotting import canvas
from alfa_md.plotting.loaded_run import LoadedRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 400  # of a drawn curve


class AdaptedCurve(NamedTuple):
    """The learner's curve after an inner step: values [P] at the plotted points, and the score on the query points."""

    values: np.ndarray
    score: str


def plot_regression(run: LoadedRun, index: int, stem: Path) -> list[Path]:
    """Writes the figure to STEM. Raises UserError if the source has no curves or the learner no inner loop."""
    if not hasattr(run.source, "curve"):
        raise UserError(f"{run.source.name} has no curves to draw; see `alfa_md.plot episode`")
    if not isinstance(run.learner, GradientLearner):
        raise UserError(f"{run.name}: its {type(run.learner).__name__} has no inner loop to draw")
    drawn = run.episode(index)
    x = x_grid(drawn)
    figure = chart(run, drawn, run.source.curve(index), x, adapted_curves(run.learner, drawn, x))
    return canvas.write_files(canvas.figure_files(stem, figure))


def x_grid(drawn: Episode) -> np.ndarray:
    """Equidistant points [P] over the range of the episode's x."""
    both = torch.cat([drawn.support_x, drawn.query_x])
    return np.linspace(both.min().item(), both.max().item(), POINTS)


@torch.no_grad()
def adapted_curves(learner: GradientLearner, drawn: Episode, x: np.ndarray) -> list[AdaptedCurve]:
    """The learner's curves before the first inner step and after each."""
    points = torch.from_numpy(x[:, None]).to(drawn.support_x)
    curves = []
    for theta in fast_weights(learner, drawn):
        values, answers = (learner.classify(theta, drawn.support_x, at) for at in (points, drawn.query_x))
        score = finite_score(learner.objective, answers, drawn.query_y)
        text = "diverged" if score is None else learner.objective.unit.number(score)
        curves.append(AdaptedCurve(values[:, 0].cpu().numpy(), text))
    return curves


def chart(run: LoadedRun, drawn: Episode, truth: SineCurve, x: np.ndarray, curves: Sequence[AdaptedCurve]) -> "Figure":
    """The figure, with curves that get darker with the inner step."""
    import matplotlib

    amplitude, frequency, phase = truth
    figure = canvas.new_figure(8.0, 4.4, layout="constrained")
    axes = figure.subplots()
    axes.plot(x, amplitude * np.sin(frequency * x + phase), color="black", linewidth=2.2, label="true curve")
    axes.plot(x, curves[0].values, color=canvas.GREY, linestyle="dashed", label=f"before adaptation, {curves[0].score}")
    shades = matplotlib.colormaps["plasma_r"](np.linspace(0.15, 0.85, max(len(curves) - 1, 1)))
    for step, (curve, shade) in enumerate(zip(curves[1:], shades, strict=False), start=1):
        axes.plot(x, curve.values, color=shade, linewidth=1.6, label=f"after step {step}, {curve.score}")
    support = [side.cpu().numpy()[:, 0] for side in (drawn.support_x, drawn.support_y)]
    axes.plot(*support, "o", color=canvas.ORANGE, markeredgecolor="white", markersize=8, label="support points")
    axes.set(xlabel="x", ylabel="y", title=f"{run.name}: {drawn.name}, {len(drawn.support_y)} support points")
    formula = f"y = {amplitude:.2f} sin({frequency:.2f} x + {phase:.2f})"
    title = f"{formula}\n{run.learner.objective.unit.name} on {len(drawn.query_y)} query points"
    figure.legend(loc="outside right upper", frameon=False, title=title, alignment="left")
    return figure
