"""4-CONV, the four-layer network of the ALFA paper (Baik et al., NeurIPS 2020), as in its authors' code."""

from collections.abc import Callable

import gin
from torch import Tensor, nn

from alfa_md.backbones.conv_block import fastest_block
from alfa_md.backbones.image_size import require_channels, require_pixels
from alfa_md.backbones.init import init_xavier_uniform
from alfa_md.errors import require_at_least
from alfa_md.normalization import EpisodicBatchNorm
from alfa_md.values import Layer, Width

MIN_PIXELS = 2**4  # per side
SLOPE = 0.01  # negative slope of the leaky ReLU


@gin.configurable
class Conv4(nn.Module):
    """Four times [conv 3x3 -> BN -> leaky ReLU (0.01) -> max pool 2x2]: [N, C, S, S] -> [N, F * (S // 16) ** 2].

    Features are flattened in the order channel, height, width: 1200 for 84 pixels, 192 for 32. Weights are initialised
    Xavier-uniform.

    Args:
      num_filters: F of every layer.
      in_channels: C of the images.
      conv_bias: a bias in every convolution, as in the authors' code. Batch normalisation by batch moments removes it:
        it has no effect, and its gradient is zero unless `constant_moments` are bound.
      batch_norm: number of channels -> normalisation layer.
      block: makes a layer of convolution, normalisation and activation; `PlainBlock` is the same function by PyTorch's
        layers, and slower.
    """

    def __init__(
        self,
        num_filters: Width = 48,
        in_channels: Width = 3,
        conv_bias: bool = True,
        batch_norm: Callable[[int], Layer] = EpisodicBatchNorm,
        block: Callable[[nn.Conv2d, nn.Module, nn.Module], Layer] = fastest_block,
    ):
        super().__init__()
        require_at_least(1, "Conv4", num_filters=num_filters, in_channels=in_channels)
        self.in_channels = in_channels
        widths = [in_channels] + [num_filters] * 4
        self.layers = nn.Sequential(
            *(
                block(nn.Conv2d(c, d, 3, padding=1, bias=conv_bias), batch_norm(d), nn.LeakyReLU(SLOPE))
                for c, d in zip(widths, widths[1:], strict=False)
            )
        )
        init_xavier_uniform(self)

    def forward(self, images: Tensor) -> Tensor:
        """Raises UserError for images smaller than 16 x 16 pixels."""
        require_pixels(images, MIN_PIXELS, "Conv4")
        require_channels(images, self.in_channels, "Conv4")
        return self.layers(images).flatten(1)
