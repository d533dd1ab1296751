"""Episodes as sources build them, and labels of images that are grouped by class."""

from collections.abc import Sequence

import torch
from torch import Tensor

from alfa_md.episode import Episode, EpisodeSource

Examples = tuple[Tensor, Tensor]  # inputs [N, ...] and targets [N] or [N, D]


def build_episode(
    source: EpisodeSource, seed: int, index: int, way: int, support: Examples, query: Examples
) -> Episode:
    """Episode `index` of a source, with its name."""
    return Episode(*support, *query, way, source.name, source.split, seed, index)


def build_grouped_episode(
    source: EpisodeSource, seed: int, index: int, images: Tensor, shots: Sequence[int], queries: Sequence[int]
) -> Episode:
    """An episode of images [sum(shots) + sum(queries), ...]: the support images class by class, then the query images.

    `shots` and `queries` have a number for every class.
    """
    number = sum(shots)
    support, query = (images[:number], grouped_labels(shots)), (images[number:], grouped_labels(queries))
    return build_episode(source, seed, index, len(shots), support, query)


def grouped_labels(counts: Sequence[int]) -> Tensor:
    """Labels 0 to way - 1, label i repeated counts[i] times, [sum of counts] int64."""
    return torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
