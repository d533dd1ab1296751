"""Batch normalisation per shard of a batch: a demonstration of a label leak in class-ordered batches.

In data parallelism every device gets a contiguous shard of the batch and normalises by the moments of that shard. In
batches ordered by class a shard has few classes, so its moments depend on the labels. Accuracies measured in this way
are inflated: they fall when the query images are shuffled.
"""

import gin
import torch
from torch import Tensor

from alfa_md.errors import UserError, require_at_least
from alfa_md.normalization import EpisodicBatchNorm, explicit_moments
from alfa_md.values import Items, Positive


@gin.configurable
class ShardedBatchNorm(EpisodicBatchNorm):
    """Normalises each of `num_shards` contiguous shards of a batch [N, C, H, W], split by torch.chunk, by itself.

    There are no moments of the whole support set for the query set: only for the protocol `batch_statistics`. Raises
    UserError with `support_moments`.
    """

    def __init__(self, num_features: int, num_shards: Items = gin.REQUIRED, eps: Positive = 1e-5):
        super().__init__(num_features, eps)
        require_at_least(1, "ShardedBatchNorm", num_shards=num_shards)
        self.num_shards = num_shards

    def extra_repr(self) -> str:
        return f"num_shards={self.num_shards}"

    def forward(self, x: Tensor) -> Tensor:
        if explicit_moments():
            raise UserError("ShardedBatchNorm has no moments to hand over; set normalization = @batch_statistics")
        return torch.cat([super(ShardedBatchNorm, self).forward(shard) for shard in x.chunk(self.num_shards)])
