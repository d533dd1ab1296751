"""Figure of the images of one episode: one row per class, support images left, query images right."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from alfa_md.data.image_grid import episode_grid
from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.plotting import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLASSES, IMAGES = 20, 10  # maximum number of rows, and of images per row on each side
PER_INCH = 90  # pixels of the images
TITLE, NAMES, FOOT = 0.75, 1.9, 0.3  # inches above, left and below


def grid_figure(drawn: Episode, fingerprint: str, classes: Sequence[str]) -> "Figure":
    """The figure of an episode with these class names. Raises UserError if it has no images."""
    if drawn.support_x.dim() != 4:
        raise UserError(f"{drawn.source} has no images to show; see `alfa_md.plot regression`")
    image = episode_grid(drawn, CLASSES, IMAGES)
    _, height, width = image.shape
    across, down = NAMES + width / PER_INCH + 0.1, TITLE + height / PER_INCH + FOOT
    figure = canvas.new_figure(max(across, 6.0), down)
    inner = (NAMES / figure.get_figwidth(), FOOT / down, width / PER_INCH / figure.get_figwidth())
    axes = figure.add_axes((*inner, height / PER_INCH / down))
    axes.imshow(image.permute(1, 2, 0).numpy(), interpolation="nearest", aspect="auto")
    rows = min(drawn.way, CLASSES)
    row = height / rows
    axes.set_yticks([row * (n + 0.5) for n in range(rows)], [_short(name) for name in classes[:rows]])
    axes.set_xticks([0.25 * width, 0.75 * width], ["support", "query"])
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    figure.text(0.1 / figure.get_figwidth(), 1 - 0.1 / down, grid_caption(drawn, fingerprint), va="top")
    return figure


def grid_caption(drawn: Episode, fingerprint: str) -> str:
    """The title of the figure: the episode, its fingerprint, and the number of images shown."""
    return (
        f"{drawn.name}\nfingerprint {fingerprint}\n{drawn.way}-way, {len(drawn.support_y)} support and "
        f"{len(drawn.query_y)} query images; up to {CLASSES} classes, {IMAGES} images each"
    )


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
