"""The block of 4-CONV, plain and fast: [conv 3x3 -> BN -> leaky ReLU -> max pool 2x2]."""

import gin
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.errors import UserError
from alfa_md.normalization import EpisodicBatchNorm

SLOPE = 0.01  # of the leaky ReLU below zero


@gin.configurable
class PlainBlock(nn.Sequential):
    """As the paper has it: [N, C, S, S] -> [N, D, S // 2, S // 2]."""

    def __init__(self, conv: nn.Conv2d, norm: nn.Module):
        super().__init__(conv, norm, nn.LeakyReLU(SLOPE), nn.MaxPool2d(2))


@gin.configurable
class PoolFirst(PlainBlock):
    """The same function, pooled before it is normalised: what follows the convolution sees a quarter of the pixels.

    For each channel the rest is a rising function of what the convolution gives times the sign of the normalisation's
    weight; the largest of four values is therefore found before it. The sign is folded into the kernel, the moments
    are those of the whole map. Values and gradients are equal, but at a weight of exactly 0, where the function has a
    kink. For second order: there PyTorch's own batch normalisation is slow; in first order and evaluation it is faster
    than this. Raises UserError for a normalisation other than EpisodicBatchNorm.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.Module):
        super().__init__(conv, norm)
        if type(norm) is not EpisodicBatchNorm:
            raise UserError(f"PoolFirst takes no {type(norm).__name__}; set Conv4.block = @PlainBlock")

    def forward(self, x: Tensor) -> Tensor:
        conv, norm = self[0], self[1]
        sign = torch.where(norm.weight < 0, -1.0, 1.0).to(x.dtype)
        bias = None if conv.bias is None else conv.bias * sign
        maps = F.conv2d(x, conv.weight * sign[:, None, None, None], bias, conv.stride, conv.padding)
        mean, var = norm.moments(maps, centred_moments)
        return F.leaky_relu(norm.normalized(F.max_pool2d(maps, 2), mean, var, norm.weight * sign), SLOPE)


def centred_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance [C] of maps [N, C, H, W], by plain operations: on a CPU faster than torch.var_mean."""
    mean = x.mean((0, 2, 3))
    return mean, (x - mean[:, None, None]).square().mean((0, 2, 3))
