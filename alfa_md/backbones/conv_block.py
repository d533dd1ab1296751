"""The block of four-layer networks, [conv 3x3 -> BN -> ReLU -> max pool 2x2], in a plain and a fast implementation."""

import gin
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.errors import UserError
from alfa_md.kernels.convolution import convolution
from alfa_md.kernels.moments import batch_moments
from alfa_md.kernels.patch_moments import closed_form_is_cheaper, convolved_moments
from alfa_md.normalization import EpisodicBatchNorm, given_moments_are_constant


@gin.configurable
class PlainBlock(nn.Sequential):
    """The block by PyTorch's layers: [N, C, S, S] -> [N, D, S // 2, S // 2]. `rectifier` is ReLU or leaky ReLU."""

    def __init__(self, conv: nn.Conv2d, norm: nn.Module, rectifier: nn.Module):
        super().__init__(conv, norm, rectifier, nn.MaxPool2d(2))


@gin.configurable
class PoolFirst(PlainBlock):
    """The same function with max pooling before normalisation, which then acts on a quarter of the pixels.

    Per channel, normalisation and activation are monotonic in the convolution's output times the sign of the
    normalisation's weight, so the maximum can be taken before them. The sign is folded into the convolution weight; the
    moments are those of the full feature map, in a network's first layer in closed form. The bias of the convolution
    is omitted: normalisation removes it, and its gradient is 0 unless the moments are constants. Values and gradients
    are equal except for a normalisation weight of exactly 0, where the function is not differentiable. Raises UserError
    for a normalisation other than EpisodicBatchNorm, for which this need not hold.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.Module, rectifier: nn.Module):
        super().__init__(conv, norm, rectifier)
        if type(norm) is not EpisodicBatchNorm:
            raise UserError(f"PoolFirst takes no {type(norm).__name__}; bind block = @PlainBlock in the backbone")

    def forward(self, x: Tensor) -> Tensor:
        conv, norm, rectifier, _ = self
        sign = torch.ones_like(norm.weight).copysign(norm.weight.detach())
        weight = conv.weight * sign[:, None, None, None]
        y = convolution(x, weight, None, conv.stride, conv.padding)

        def moments_of(y: Tensor) -> tuple[Tensor, Tensor]:
            closed_form = closed_form_is_cheaper(conv, x)
            return convolved_moments(x, weight, conv.padding) if closed_form else batch_moments(y)

        mean, var = norm.moments(y, moments_of)
        if conv.bias is not None and given_moments_are_constant():
            mean = mean - sign * (conv.bias - conv.bias.detach())  # 0, for the gradient of the omitted bias
        return rectifier(norm.normalize(F.max_pool2d(y, 2), mean, var, norm.weight * sign))


@gin.configurable
def fastest_block(conv: nn.Conv2d, norm: nn.Module, rectifier: nn.Module) -> PlainBlock:
    """`PoolFirst` for EpisodicBatchNorm, `PlainBlock` for any other normalisation."""
    kind = PoolFirst if type(norm) is EpisodicBatchNorm else PlainBlock
    return kind(conv, norm, rectifier)
