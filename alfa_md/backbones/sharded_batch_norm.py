"""Batch normalisation as on several devices: a demonstration of how class-ordered batches leak their labels.

Data-parallel training hands every device a contiguous part of the batch, and each normalises by the moments of its
part alone. In batches that are ordered by class, a part then holds few classes, and what an image is normalised by
tells of its class. Accuracies measured so are not accuracies: they fall when the query images are shuffled.
"""

import gin
import torch
from torch import Tensor

from alfa_md.errors import UserError, require_at_least
from alfa_md.normalization import EpisodicBatchNorm, explicit_moments


@gin.configurable
class ShardedBatchNorm(EpisodicBatchNorm):
    """Normalises each of `num_shards` contiguous parts of a batch [N, C, H, W], cut as by torch.chunk, by itself.

    A batch has moments of every part then, none to hand over from the support set to the query set: this is for the
    protocol in which each set is normalised by its own batch. Raises UserError in the other.
    """

    def __init__(self, num_features: int, num_shards: int = gin.REQUIRED, eps: float = 1e-5):
        super().__init__(num_features, eps)
        require_at_least(1, "ShardedBatchNorm", num_shards=num_shards)
        self.num_shards = num_shards

    def extra_repr(self) -> str:
        return f"num_shards={self.num_shards}"

    def forward(self, x: Tensor) -> Tensor:
        if explicit_moments():
            raise UserError("ShardedBatchNorm has no moments to hand over; set normalization = @batch_statistics")
        return torch.cat([super(ShardedBatchNorm, self).forward(shard) for shard in x.chunk(self.num_shards)])
