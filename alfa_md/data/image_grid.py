"""The images of an episode as they are looked at."""

import torch
import torch.nn.functional as F
from torch import Tensor

from alfa_md.episode import Episode

THUMBNAIL = 64  # pixels; larger images are shrunk, so that a grid takes less than a megabyte
BORDER = 2  # pixels around every image
GREY = 0.5  # what is no image


def visible(episode: Episode) -> Episode:
    """The same episode with images [N, 3, H, W] in [0, 1] on the CPU; one channel becomes grey.

    Values in [-1, 1] are mapped as they are. Others, normalised by the mean and deviation of a data set, are stretched
    channel by channel, so that the darkest of the episode is 0 and the brightest 1.
    """
    sides = [images.detach().float().cpu() for images in (episode.support_x, episode.query_x)]
    both = torch.cat([images.transpose(0, 1).flatten(1) for images in sides], dim=1)  # [C, values]
    low, high = both.min(dim=1).values, both.max(dim=1).values
    if low.min() >= -1 and high.max() <= 1:
        low, high = torch.tensor([-1.0]), torch.tensor([1.0])
    low, scale = low[:, None, None], (high - low).clamp(min=1e-12)[:, None, None]
    support, query = ((images - low).div(scale).clamp(0, 1).expand(-1, 3, -1, -1) for images in sides)
    return episode._replace(support_x=support, query_x=query)


def episode_grid(episode: Episode, max_classes: int = 8, max_images: int = 8) -> Tensor:
    """An episode as one picture [3, H, W] in [0, 1]: a row a class, support left, query right, a grey gap between."""
    support, support_y, query, query_y = visible(episode)[:4]
    rows = []
    for label in range(min(episode.way, max_classes)):
        sides = (support[(support_y == label).cpu()], query[(query_y == label).cpu()])
        left, right = (strip(images[:max_images], max_images) for images in sides)
        gap = torch.full((3, left.shape[1], left.shape[1] // 2), GREY)
        rows.append(torch.cat([left, gap, right], dim=2))
    return torch.cat(rows, dim=1)


def strip(images: Tensor, places: int) -> Tensor:
    """Images [n, 3, H, W] in [0, 1] side by side [3, h, w]; places without an image are grey."""
    if max(images.shape[2:]) > THUMBNAIL:
        images = F.interpolate(images, size=(THUMBNAIL, THUMBNAIL), mode="area")
    images = F.pad(images, [0, 0, 0, 0, 0, 0, 0, places - len(images)], value=GREY)
    images = F.pad(images, [BORDER] * 4, value=GREY)
    return torch.cat(list(images), dim=2)
