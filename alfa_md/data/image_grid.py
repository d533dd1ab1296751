"""Image grid of an episode for TensorBoard and plots, and rescaling of images to [0, 1] for display."""

import torch
import torch.nn.functional as F
from torch import Tensor

from alfa_md.episode import Episode

THUMBNAIL = 64  # pixels; larger images are downscaled to keep a grid below a megabyte
BORDER = 2  # pixels around every image
GREY = 0.5  # background


def rescale_for_display(episode: Episode) -> Episode:
    """The episode with its images as [N, 3, H, W] float32 in [0, 1] on the CPU; one channel is repeated.

    Values in [-1, 1] are mapped linearly. Others, normalised by the mean and standard deviation of a data set, are
    rescaled per channel so that the episode's minimum is 0 and its maximum 1.
    """
    image_sets = [images.detach().float().cpu() for images in (episode.support_x, episode.query_x)]
    both = torch.cat([images.transpose(0, 1).flatten(1) for images in image_sets], dim=1)  # [C, values]
    low, high = both.min(dim=1).values, both.max(dim=1).values
    if low.min() >= -1 and high.max() <= 1:
        low, high = torch.tensor([-1.0]), torch.tensor([1.0])
    low, scale = low[:, None, None], (high - low).clamp(min=1e-12)[:, None, None]
    support, query = ((images - low).div(scale).clamp(0, 1).expand(-1, 3, -1, -1) for images in image_sets)
    return episode._replace(support_x=support, query_x=query)


def episode_grid(episode: Episode, max_classes: int = 8, max_images: int = 8) -> Tensor:
    """One image [3, H, W] in [0, 1]: one row per class, support images left, query images right, a grey gap between."""
    support, support_y, query, query_y = rescale_for_display(episode)[:4]
    rows = []
    for label in range(min(episode.way, max_classes)):
        image_sets = (support[(support_y == label).cpu()], query[(query_y == label).cpu()])
        left, right = (image_row(images[:max_images], max_images) for images in image_sets)
        gap = torch.full((3, left.shape[1], left.shape[1] // 2), GREY)
        rows.append(torch.cat([left, gap, right], dim=2))
    return torch.cat(rows, dim=1)


def image_row(images: Tensor, columns: int) -> Tensor:
    """Images [n, 3, H, W] in [0, 1] side by side as [3, h, w], padded with grey to `columns` images."""
    if max(images.shape[2:]) > THUMBNAIL:
        images = F.interpolate(images, size=(THUMBNAIL, THUMBNAIL), mode="area")
    images = F.pad(images, [0, 0, 0, 0, 0, 0, 0, columns - len(images)], value=GREY)
    images = F.pad(images, [BORDER] * 4, value=GREY)
    return torch.cat(list(images), dim=2)
