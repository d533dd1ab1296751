"""The four-layer convolutional network of Meta-Dataset (Triantafillou et al., 2020)."""

from collections.abc import Callable

import gin
from torch import Tensor, nn

from alfa_md.backbones.conv_block import fastest_block
from alfa_md.backbones.image_size import require_channels, require_pixels
from alfa_md.backbones.init import init_truncated_normal
from alfa_md.errors import require_at_least
from alfa_md.normalization import EpisodicBatchNorm
from alfa_md.values import Layer, Width

MIN_PIXELS = 2**4  # per side


@gin.configurable
class FourLayerConvNet(nn.Module):
    """Four times [conv 3x3 -> BN -> ReLU -> max pool 2x2]: images [N, C, S, S] -> features [N, F * (S // 16) ** 2].

    Convolutions have no bias; weights are initialised from N(0, 0.1^2) truncated at two sigma. `block` makes a layer of
    convolution, normalisation and activation; `PlainBlock` is the same function by PyTorch's layers.
    """

    def __init__(
        self,
        num_filters: Width = 64,
        in_channels: Width = 3,
        block: Callable[[nn.Conv2d, nn.Module, nn.Module], Layer] = fastest_block,
    ):
        super().__init__()
        require_at_least(1, "FourLayerConvNet", num_filters=num_filters, in_channels=in_channels)
        self.in_channels = in_channels
        channels = [in_channels] + [num_filters] * 4
        self.layers = nn.Sequential(
            *(
                block(nn.Conv2d(c, d, 3, padding=1, bias=False), EpisodicBatchNorm(d), nn.ReLU())
                for c, d in zip(channels, channels[1:], strict=False)
            )
        )
        init_truncated_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        """Raises UserError for images smaller than 16 x 16 pixels."""
        require_pixels(images, MIN_PIXELS, "FourLayerConvNet")
        require_channels(images, self.in_channels, "FourLayerConvNet")
        return self.layers(images).permute(0, 2, 3, 1).flatten(1)  # features in the order height, width, channel
