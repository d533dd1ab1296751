"""Prototypical networks (Snell et al., 2017) with Meta-Dataset's batch normalisation."""

from collections.abc import Callable

import gin
from torch import Tensor

from alfa_md.episode import Episode
from alfa_md.heads import prototypes
from alfa_md.learners.base import Learner, Scorer, callable_name
from alfa_md.normalization import Normalization, embed_support, protocol_stamp, support_moments
from alfa_md.values import Backbone


@gin.configurable
class PrototypicalLearner(Learner):
    """Scores are negative squared Euclidean distances to the prototypes, the class means of the support features.

    `normalization` are the moments that normalise the query set, see `GradientLearner`.
    """

    def __init__(self, backbone: Backbone = gin.REQUIRED, normalization: Callable[[], Normalization] = support_moments):
        super().__init__()
        self.backbone, self.protocol, self.normalization = backbone, callable_name(normalization), normalization()

    def forward(self, episode: Episode) -> Tensor:
        support, query = self.normalization(self.backbone, episode.support_x, episode.query_x)
        return minus_squared_distances(query, prototypes(support, episode.support_y, episode.way))

    def scorer(self, episode: Episode) -> Scorer:
        support, embed_query = embed_support(self.backbone, episode.support_x)
        c = prototypes(support, episode.support_y, episode.way)
        return lambda query_x: minus_squared_distances(embed_query(query_x), c)

    def stamp(self) -> dict:
        own = super().stamp()
        return own | protocol_stamp(own["batch_norm"], self.protocol, self.normalization)


def minus_squared_distances(features: Tensor, centroids: Tensor) -> Tensor:
    """Negative squared Euclidean distances [N, way] of features [N, D] to class means [way, D]."""
    return -(features[:, None] - centroids[None]).square().sum(dim=2)
