"""The Wide ResNet of Meta-Dataset: six pre-activation blocks, width factor k = 2."""

import gin
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.backbones.image_size import require_images
from alfa_md.backbones.init import init_truncated_normal
from alfa_md.normalization import EpisodicBatchNorm


@gin.configurable
class WideResNet(nn.Module):
    """Images [N, 3, S, S] -> features [N, 128]; 711 888 parameters in 45 tensors (Zagoruyko and Komodakis, 2016).

    Three groups of two blocks, widths 32, 64, 128 (k = 2), strides 1, 2, 2, then BN, ReLU and global average
    pooling. Every block projects its shortcut, the second of a group too; the projection's input is the output of the
    first BN and ReLU, not that of the block. Images are not resized. No biases; weights initialised from N(0, 0.1^2)
    truncated at two sigma.
    """

    def __init__(self):
        super().__init__()
        self.stem = SameConv2d(3, 16, stride=1)
        widths = [16, 32, 64, 128]
        self.groups = nn.Sequential(
            *(
                nn.Sequential(PreActivationBlock(c, d, stride), PreActivationBlock(d, d, stride=1))
                for c, d, stride in zip(widths, widths[1:], (1, 2, 2), strict=False)
            )
        )
        self.activation = nn.Sequential(EpisodicBatchNorm(128), nn.ReLU())
        init_truncated_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        require_images(images, "WideResNet")
        return self.activation(self.groups(self.stem(images))).mean(dim=(2, 3))


class PreActivationBlock(nn.Module):
    """a = ReLU(BN(x)), then conv3x3(a) - BN - ReLU - conv3x3, plus conv1x1(a)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        self.activation = nn.Sequential(EpisodicBatchNorm(in_channels), nn.ReLU())
        self.residual = nn.Sequential(
            SameConv2d(in_channels, out_channels, stride),
            EpisodicBatchNorm(out_channels),
            nn.ReLU(),
            SameConv2d(out_channels, out_channels, stride=1),
        )
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        a = self.activation(x)
        return self.residual(a) + self.shortcut(a)


class SameConv2d(nn.Conv2d):
    """3x3 convolution of square feature maps without bias, with TensorFlow's SAME padding: S -> ceil(S / stride).

    With stride 2 an even size is padded by one row and column at the end; otherwise by one on every side.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == (2, 2) and x.shape[-1] % 2 == 0:
            return F.conv2d(F.pad(x, (0, 1, 0, 1)), self.weight, stride=2)
        return super().forward(x)
