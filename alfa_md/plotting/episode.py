"""Figure of one episode: its images with the predicted classes before and after adaptation."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from alfa_md.data.image_grid import rescale_for_display
from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.learners.base import Learner
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.tracing import fast_weights
from alfa_md.metrics import ACCURACY
from alfa_md.plotting import canvas
from alfa_md.plotting.loaded_run import LoadedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLASSES, SUPPORT, QUERY = 10, 5, 8  # maximum number of rows, and of images per row
ACROSS, DOWN, GAP = 1.12, 1.42, 0.5  # spacing of images of size 1, and the gap between support and query
INCHES = 0.78  # of an image
NONE = -1  # no class: the scores are not finite
MARKS = {True: ("✓", canvas.BLUE), False: ("✗", canvas.ORANGE)}


class Predictions(NamedTuple):
    """Predicted classes of the support images [Ns] and of the query images [Nq]; NONE without finite scores."""

    support: Tensor
    query: Tensor


def plot_episode(run: LoadedRun, index: int, stem: Path) -> list[Path]:
    """Writes the figure to STEM. Raises UserError if the episodes are not image classification."""
    drawn = run.episode(index)
    if drawn.support_x.dim() != 4 or run.learner.objective.unit != ACCURACY:
        raise UserError(f"{drawn.source} has no images of classes to draw; see `alfa_md.plot regression`")
    return canvas.write_files(
        canvas.figure_files(stem, draw_episode(run.name, drawn, predict_classes(run.learner, drawn)))
    )


@torch.no_grad()
def predict_classes(learner: Learner, drawn: Episode) -> dict[str, Predictions]:
    """The predictions before and after adaptation, or only one set if the learner does not adapt."""
    support_x, query_x = drawn.support_x, drawn.query_x
    if not isinstance(learner, GradientLearner):
        scores = (learner(drawn._replace(query_x=images)) for images in (support_x, query_x))
        return {"without adaptation": Predictions(*map(chosen_classes, scores))}
    found = {}
    for number, theta in enumerate(fast_weights(learner, drawn)):
        if number == 0:
            found["before"] = theta
        found["after"] = theta
    return {
        when: Predictions(*(chosen_classes(learner.classify(theta, support_x, x)) for x in (support_x, query_x)))
        for when, theta in found.items()
    }


def chosen_classes(scores: Tensor) -> Tensor:
    """The classes [N] of the highest scores [N, way], NONE where a score is not finite."""
    return torch.where(scores.isfinite().all(dim=1), scores.argmax(dim=1), NONE).cpu()


def draw_episode(name: str, drawn: Episode, seen: dict[str, Predictions]) -> "Figure":
    """One row per class, support images left, query images right, with the predicted classes below each image."""
    labels, shown = drawn.map(Tensor.cpu), rescale_for_display(drawn)
    rows = min(drawn.way, CLASSES)
    places = [
        min(most, int(torch.bincount(y).max())) for most, y in ((SUPPORT, labels.support_y), (QUERY, labels.query_y))
    ]
    width, height = ACROSS * sum(places) + GAP + 0.9, DOWN * rows
    figure = canvas.new_figure(max(INCHES * width + 0.3, 6.5), INCHES * (height + 0.35) + 1.2)
    figure.text(
        0.15 / figure.get_figwidth(), 1 - 0.1 / figure.get_figheight(), episode_caption(name, labels, seen), va="top"
    )
    below, above = 0.45 / figure.get_figheight(), 0.75 / figure.get_figheight()
    axes = figure.add_axes((0.01, below, 0.98, 1 - below - above))
    axes.set(xlim=(-0.9, width - 0.9), ylim=(height, -0.35), aspect="equal", anchor="NW")
    axes.axis("off")
    starts = (0.0, ACROSS * places[0] + GAP)
    sides = ("support", "query")
    for side, start, most in zip(sides, starts, places, strict=True):
        axes.text(start, -0.12, side, fontweight="bold")
        images, truth = getattr(shown, f"{side}_x"), getattr(labels, f"{side}_y")
        for label in range(rows):
            for place, number in enumerate((truth == label).nonzero()[:most, 0].tolist()):
                classes = [int(getattr(predictions, side)[number]) for predictions in seen.values()]
                draw_image(axes, images[number], start + ACROSS * place, DOWN * label, label, classes)
    for label in range(rows):
        axes.text(-0.12, DOWN * label + 0.5, f"class\n{label}", ha="right", va="center", fontweight="bold")
    figure.text(0.15 / figure.get_figwidth(), 0.12 / figure.get_figheight(), legend_text(seen), color=canvas.GREY)
    return figure


def draw_image(axes: "Axes", image: Tensor, x: float, y: float, truth: int, classes: list[int]) -> None:
    """Draws an image with its top left corner at (x, y), all predictions below and a frame for the last one."""
    from matplotlib.patches import Rectangle

    axes.imshow(image.permute(1, 2, 0).numpy(), extent=(x, x + 1, y + 1, y), interpolation="nearest")
    for number, seen in enumerate(classes):
        mark, color = MARKS[seen == truth]
        centre = x + (number + 0.5) / len(classes)
        axes.text(centre, y + 1.06, f"{mark}{'?' if seen == NONE else seen}", color=color, ha="center", va="top")
    axes.add_patch(Rectangle((x, y), 1, 1, fill=False, edgecolor=color, linewidth=2))


def episode_caption(name: str, drawn: Episode, seen: dict[str, Predictions]) -> str:
    """The title of the figure: the episode, the number of images shown, and the query accuracies."""
    shares = (
        f"{when} {100 * (predictions.query == drawn.query_y).double().mean():.1f} %"
        + (" (diverged)" if (predictions.query == NONE).any() else "")
        for when, predictions in seen.items()
    )
    return (
        f"{name}: {drawn.name}\n"
        f"{drawn.way}-way, {len(drawn.support_y)} support and {len(drawn.query_y)} query images, of which up to "
        f"{CLASSES} classes\nwith {SUPPORT} and {QUERY} images are shown. Query accuracy: {', '.join(shares)}"
    )


def legend_text(seen: dict[str, Predictions]) -> str:
    """The explanation of the marks below the images."""
    if len(seen) == 1:
        return "Below an image: the class seen in it. ✓ and blue: right; ✗ and orange: wrong."
    return "Below an image: the class seen before and after adaptation. ✓ blue: right; ✗ orange: wrong; frame: after."
