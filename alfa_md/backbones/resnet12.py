"""The ResNet-12 of the ALFA paper (Baik et al., NeurIPS 2020), as in its authors' code."""

from collections.abc import Callable

import gin
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.backbones.image_size import require_channels, require_pixels
from alfa_md.backbones.init import init_xavier_uniform
from alfa_md.errors import require_at_least
from alfa_md.kernels.convolution import Convolution
from alfa_md.normalization import EpisodicBatchNorm
from alfa_md.values import Layer, Width

WIDTHS = (64, 128, 256, 512)
MIN_PIXELS = 4  # per side

MakeBatchNorm = Callable[[int], Layer]


@gin.configurable
class ResNet12(nn.Module):
    """Four residual blocks and global average pooling: images [N, C, S, S] -> features [N, 512].

    In the paper every block ends with 2x2 max pooling; the code pads the third pooling by one pixel and omits the
    fourth: 84 -> 42 -> 21 -> 11 -> 11 pixels. No biases, no dropout; 7 996 800 parameters. Weights are initialised
    Xavier-uniform, as in 4-CONV.

    Args:
      in_channels: C of the images.
      batch_norm: number of channels -> normalisation layer.
    """

    def __init__(self, in_channels: Width = 3, batch_norm: MakeBatchNorm = EpisodicBatchNorm):
        super().__init__()
        require_at_least(1, "ResNet12", in_channels=in_channels)
        self.in_channels = in_channels
        pools = (nn.MaxPool2d(2), nn.MaxPool2d(2), nn.MaxPool2d(2, padding=1), nn.Identity())
        sizes = zip((in_channels, *WIDTHS), WIDTHS, pools, strict=False)
        self.blocks = nn.Sequential(*(ResidualBlock(c, d, batch_norm, pool) for c, d, pool in sizes))
        init_xavier_uniform(self)

    def forward(self, images: Tensor) -> Tensor:
        """Raises UserError for images smaller than 4 x 4 pixels."""
        require_pixels(images, MIN_PIXELS, "ResNet12")
        require_channels(images, self.in_channels, "ResNet12")
        return self.blocks(images).mean(dim=(2, 3))


class ResidualBlock(nn.Module):
    """Three conv3x3 - BN with ReLU between them, plus conv1x1 - BN of the input; then ReLU and pooling."""

    def __init__(self, in_channels: int, out_channels: int, batch_norm: MakeBatchNorm, pool: nn.Module):
        super().__init__()

        def normalized(c: int, size: int) -> list[nn.Module]:
            convolution = Convolution(c, out_channels, size, padding=size // 2, bias=False)
            return [convolution, batch_norm(out_channels)]

        first, second, third = (normalized(c, 3) for c in (in_channels, out_channels, out_channels))
        self.residual = nn.Sequential(*first, nn.ReLU(), *second, nn.ReLU(), *third)
        self.shortcut = nn.Sequential(*normalized(in_channels, 1))
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(F.relu(self.residual(x) + self.shortcut(x)))
