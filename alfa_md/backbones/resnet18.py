"""The ResNet-18 of Meta-Dataset. Unlike torchvision's, it has a projection in stage 1 too, and inputs are aligned."""

import math

import gin
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.backbones.image_size import require_images
from alfa_md.backbones.init import init_truncated_normal
from alfa_md.kernels.convolution import Convolution
from alfa_md.normalization import EpisodicBatchNorm


@gin.configurable
class ResNet18(nn.Module):
    """Images [N, 3, S, S] -> features [N, 512]; 11 180 736 parameters in 63 tensors.

    Square images are first resized to 32 k + 1 pixels (126 -> 129), so that strides divide the size evenly. Widths 64,
    128, 256, 512 with two basic blocks each; the first block of every stage projects its shortcut. No biases; weights
    initialised from N(0, 0.1^2) truncated at two sigma.
    """

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            Convolution(3, 64, 7, stride=2, padding=3, bias=False),
            EpisodicBatchNorm(64),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        widths = [64, 64, 128, 256, 512]
        self.stages = nn.Sequential(
            *(
                nn.Sequential(BasicBlock(c, d, stride, Projection(c, d, stride)), BasicBlock(d, d, 1, nn.Identity()))
                for c, d, stride in zip(widths, widths[1:], (1, 2, 2, 2), strict=False)
            )
        )
        init_truncated_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        require_images(images, "ResNet18")
        return self.stages(self.stem(align(images))).mean(dim=(2, 3))


def align(images: Tensor) -> Tensor:
    """Square images resized bilinearly, corners aligned, to ceil(S / 32) * 32 + 1 pixels a side."""
    size = math.ceil(images.shape[-1] / 32) * 32 + 1
    return F.interpolate(images, (size, size), mode="bilinear", align_corners=True)


class BasicBlock(nn.Module):
    """conv3x3 - BN - ReLU - conv3x3 - BN, plus the shortcut, then ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, shortcut: nn.Module):
        super().__init__()
        self.residual = nn.Sequential(
            Convolution(in_channels, out_channels, 3, stride=stride, padding=1, bias=False),
            EpisodicBatchNorm(out_channels),
            nn.ReLU(),
            Convolution(out_channels, out_channels, 3, padding=1, bias=False),
            EpisodicBatchNorm(out_channels),
        )
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.residual(x) + self.shortcut(x))


class Projection(nn.Sequential):
    """conv1x1 - BN, the shortcut of a stage's first block."""

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__(
            Convolution(in_channels, out_channels, 1, stride=stride, bias=False), EpisodicBatchNorm(out_channels)
        )
