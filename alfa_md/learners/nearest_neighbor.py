"""1-nearest-neighbour classification on pixels or features: the baseline without learning."""

from collections.abc import Callable

import gin
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.episode import Episode
from alfa_md.learners.base import Learner, Scorer
from alfa_md.normalization import embed_support
from alfa_md.values import Backbone

Distance = Callable[[Tensor, Tensor], Tensor]  # query features [Nq, D], support features [Ns, D] -> [Nq, Ns]


@gin.configurable
def euclidean(query: Tensor, support: Tensor) -> Tensor:
    """The Euclidean distances [Nq, Ns] of features [Nq, D] and [Ns, D]."""
    return torch.cdist(query, support)


@gin.configurable
def cosine(query: Tensor, support: Tensor) -> Tensor:
    """Minus the cosines [Nq, Ns] of the angles between features [Nq, D] and [Ns, D]."""
    return -F.normalize(query, dim=1, eps=1e-6) @ F.normalize(support, dim=1, eps=1e-6).T


class Pixels(nn.Flatten):
    """Pixels as features: images [N, C, H, W] -> [N, C * H * W]."""


@torch.no_grad()
def nearest_neighbor(embed: Callable[[Tensor], Tensor], episode: Episode, distance: Distance) -> Tensor:
    """The label of the support image nearest to each query image, as one-hot scores [Nq, way]; NaN if none is near."""
    return nearest_neighbor_scorer(embed, episode, distance)(episode.query_x)


def nearest_neighbor_scorer(embed: Callable[[Tensor], Tensor], episode: Episode, distance: Distance) -> Scorer:
    """The scores of `nearest_neighbor` for any query images."""
    support, embed_query = embed_support(embed, episode.support_x)

    def scores(query_x: Tensor) -> Tensor:
        distances = distance(embed_query(query_x), support)
        nearest = distances.argmin(dim=1)  # the first NaN, if there is one
        shortest = distances.gather(1, nearest[:, None])
        none_is_near = shortest - shortest  # [Nq, 1]: NaN where the distance is not finite, else 0
        return F.one_hot(episode.support_y[nearest], episode.way).to(support.dtype) + none_is_near

    return scores


@gin.configurable
class NearestNeighborLearner(Learner):
    """The label of the support image at the smallest `distance` of features, as one-hot scores; nothing is learned."""

    def __init__(self, backbone: Backbone = gin.REQUIRED, distance: Distance = euclidean):
        super().__init__()
        self.backbone, self.distance = backbone, distance

    def forward(self, episode: Episode) -> Tensor:
        return nearest_neighbor(self.backbone, episode, self.distance)

    def scorer(self, episode: Episode) -> Scorer:
        return nearest_neighbor_scorer(self.backbone, episode, self.distance)
