"""Prototypical networks (Snell et al., 2017) with Meta-Dataset's batch normalisation."""

import gin
from torch import Tensor

from alfa_md.episode import Episode
from alfa_md.heads import prototypes
from alfa_md.learners.base import Learner
from alfa_md.normalization import embed_episode
from alfa_md.values import Backbone


@gin.configurable
class PrototypicalLearner(Learner):
    """Scores are negative squared Euclidean distances to the prototypes, the class means of the support features."""

    def __init__(self, backbone: Backbone = gin.REQUIRED):
        super().__init__()
        self.backbone = backbone

    def forward(self, episode: Episode) -> Tensor:
        support, query = embed_episode(self.backbone, episode.support_x, episode.query_x)
        c = prototypes(support, episode.support_y, episode.way)
        return -(query[:, None] - c[None]).square().sum(dim=2)
