"""One nearest neighbour, on pixels or on features: the floor that any learner must beat."""

import gin
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.episode import Episode
from alfa_md.learners.base import Learner
from alfa_md.normalization import embed_episode


class Pixels(nn.Flatten):
    """The identity as a backbone: images [N, C, H, W] -> their pixels [N, C * H * W]."""


@gin.configurable
class NearestNeighborLearner(Learner):
    """The label of the support image at the smallest Euclidean distance, as one-hot scores; nothing is learned."""

    def __init__(self, backbone: nn.Module = gin.REQUIRED):
        super().__init__()
        self.backbone = backbone

    @torch.no_grad()
    def forward(self, episode: Episode) -> Tensor:
        support, query = embed_episode(self.backbone, episode.support_x, episode.query_x)
        nearest = torch.cdist(query, support).argmin(dim=1)
        return F.one_hot(episode.support_y[nearest], episode.way).to(support.dtype)
