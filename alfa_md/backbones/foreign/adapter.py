"""Networks of other libraries as backbones: their own input size, mean and deviation, and one feature vector an image.

The network runs in evaluation mode always, without dropout and stochastic depth, so that features of an episode are a
function of its images and weights alone.
"""

from collections.abc import Callable, Mapping
from typing import Any

import gin
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.backbones.foreign.features import automatic
from alfa_md.backbones.image_size import require_images
from alfa_md.errors import UserError
from alfa_md.system.device import device_of
from alfa_md.system.library_faults import refused
from alfa_md.values import Pixels, Positive, Real

Mean = tuple[Real, Real, Real]  # of red, green and blue, of pixel values from 0 to 1
Deviation = tuple[Positive, Positive, Positive]
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@gin.configurable
class ForeignBackbone(nn.Module):
    """Images [N, 3, H, W] in [-1, 1] -> features [N, D] of any `network` of images to features.

    A parameter that features do not depend on, such as a mask token, becomes a buffer: it is stored and loaded as
    before, and neither adapted nor trained. Normalisation by running averages is made episodic by `episodic`.

    Args:
      network: takes images [N, 3, S, S], normalised by `mean` and `deviation`.
      image_size: S; images of another size are resized, bilinearly and with antialiasing.
      mean, deviation: of the pixel values from 0 to 1 of each channel; by default those of ImageNet.
      features: what the network returns -> features [N, D].

    Raises UserError if the network does not take such images, or does not give one vector an image.
    """

    def __init__(
        self,
        network: nn.Module = gin.REQUIRED,
        image_size: Pixels = gin.REQUIRED,
        mean: Mean = IMAGENET_MEAN,
        deviation: Deviation = IMAGENET_DEVIATION,
        features: Callable[[Any], Tensor] = automatic,
    ):
        super().__init__()
        self.network, self.image_size, self.features = network.eval(), image_size, features
        mean, deviation = (torch.tensor(values)[:, None, None] for values in (mean, deviation))
        self.register_buffer("scale", 0.5 / deviation, persistent=False)
        self.register_buffer("shift", (0.5 - mean) / deviation, persistent=False)
        self.num_features = self._settle()

    def forward(self, images: Tensor) -> Tensor:
        require_images(images, type(self.network).__name__)
        size = (self.image_size, self.image_size)
        if images.shape[2:] != size:
            images = F.interpolate(images, size, mode="bilinear", antialias=True)
        return self.features(self.network(images * self.scale + self.shift))

    def train(self, mode: bool = True) -> "ForeignBackbone":
        super().train(mode)
        self.network.eval()
        return self

    def no_weight_decay(self) -> set[str]:
        """All that is not called a weight: tokens, position embeddings, scales of layers."""
        return {name for name, _ in self.named_parameters() if not name.endswith("weight")}

    def own_names(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Tensors of the library's weights files, by their names in `network` as it is built today."""
        return tensors

    def _settle(self) -> int:
        """D, after making buffers of the parameters without effect."""
        learned = {name: tensor for name, tensor in self.network.named_parameters() if tensor.requires_grad}
        name, size = type(self.network).__name__, self.image_size
        with refused(f"{name} does not take images of {size} pixels", "bind its image_size"), torch.enable_grad():
            features = self(torch.zeros(2, 3, size, size, device=device_of(self)))
        if not isinstance(features, Tensor) or features.dim() != 2 or len(features) != 2:
            given = list(features.shape) if isinstance(features, Tensor) else type(features).__name__
            raise UserError(f"{name} gives {given} for 2 images, not [2, D]; bind features to a function of its output")
        if learned and features.requires_grad:
            grads = torch.autograd.grad(features.sum(), list(learned.values()), allow_unused=True)
            for path, grad in zip(learned, grads, strict=True):
                if grad is None:
                    make_buffer(self.network, path)
        return features.shape[1]


def make_buffer(network: nn.Module, name: str) -> None:
    """Makes the parameter `name` of a network a buffer of the same name."""
    path, _, leaf = name.rpartition(".")
    owner = network.get_submodule(path)
    value = owner._parameters.pop(leaf).detach()
    owner.register_buffer(leaf, value)
