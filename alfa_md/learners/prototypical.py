"""Prototypical networks (Snell et al., 2017) with Meta-Dataset's batch normalisation."""

from collections.abc import Callable

import gin
from torch import Tensor

from alfa_md.episode import Episode
from alfa_md.heads import prototypes
from alfa_md.learners.base import Learner, callable_name
from alfa_md.normalization import Normalization, moments_stamp, support_moments
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
        c = prototypes(support, episode.support_y, episode.way)
        return -(query[:, None] - c[None]).square().sum(dim=2)

    def stamp(self) -> dict:
        own = super().stamp() | moments_stamp(self.normalization)
        if own["batch_norm"] != "none":
            own["batch_norm"] = self.protocol.replace("_", " ")
        return own
