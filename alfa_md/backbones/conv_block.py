"""The block of four-layer networks, plain and fast: [conv 3x3 -> BN -> rectifier -> max pool 2x2]."""

import gin
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.errors import UserError
from alfa_md.kernels.convolution import convolution
from alfa_md.kernels.moments import batch_moments
from alfa_md.kernels.patch_moments import convolved_moments, pays
from alfa_md.normalization import EpisodicBatchNorm


@gin.configurable
class PlainBlock(nn.Sequential):
    """As papers have it: [N, C, S, S] -> [N, D, S // 2, S // 2]."""

    def __init__(self, conv: nn.Conv2d, norm: nn.Module, rectifier: nn.Module):
        super().__init__(conv, norm, rectifier, nn.MaxPool2d(2))


@gin.configurable
class PoolFirst(PlainBlock):
    """The same function, pooled before it is normalised: what follows the convolution sees a quarter of the pixels.

    For each channel the rest is a rising function of what the convolution gives times the sign of the normalisation's
    weight; the largest of four values is therefore found before it. The sign is folded into the kernel, the moments
    are those of the whole map, of a network's first layer in closed form. A bias of the convolution is left out: the
    normalisation takes it away again with the mean, and its gradient is 0. Values and gradients are equal, but at a
    weight of exactly 0, where the function has a kink. Raises UserError for a normalisation other than
    EpisodicBatchNorm, of which nothing of this is known.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.Module, rectifier: nn.Module):
        super().__init__(conv, norm, rectifier)
        if type(norm) is not EpisodicBatchNorm:
            raise UserError(f"PoolFirst takes no {type(norm).__name__}; bind block = @PlainBlock in the backbone")

    def forward(self, x: Tensor) -> Tensor:
        conv, norm, rectifier, _ = self
        sign = torch.ones_like(norm.weight).copysign(norm.weight.detach())
        weight = conv.weight * sign[:, None, None, None]
        maps = convolution(x, weight, None, conv.stride, conv.padding)

        def measured(maps: Tensor) -> tuple[Tensor, Tensor]:
            return convolved_moments(x, weight, conv.padding) if pays(conv, x) else batch_moments(maps)

        mean, var = norm.moments(maps, measured)
        return rectifier(norm.normalized(F.max_pool2d(maps, 2), mean, var, norm.weight * sign))


@gin.configurable
def fastest_block(conv: nn.Conv2d, norm: nn.Module, rectifier: nn.Module) -> PlainBlock:
    """`PoolFirst` where it holds, `PlainBlock` with a normalisation of the user's own."""
    kind = PoolFirst if type(norm) is EpisodicBatchNorm else PlainBlock
    return kind(conv, norm, rectifier)
