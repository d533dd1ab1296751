"""Image transform from stored images to network inputs: resize, channels, inversion, normalisation."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import gin
import numpy as np
import torch
from PIL import Image, ImageOps

from alfa_md.errors import UserError, require_at_least
from alfa_md.values import Pixels, Positive, Real

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
# The published constants of CIFAR-100 have 0.4867 in the middle; the ALFA experiments ran with this value.
CIFAR = {"mean": (0.5071, 0.4847, 0.4408), "std": (0.2675, 0.2565, 0.2761)}


@dataclass(frozen=True)
class Transform:
    """Resize to a square, ignoring the aspect ratio; scale to [0, 1]; then (value - mean) / std if these are given.

    A 1-bit image is resized as a grey one, because Pillow would use the nearest pixel whatever the filter.

    Args:
      size: S, edge length of the square in pixels.
      filter: Pillow's resize filter (the library's default was "nearest" before version 7.0, "bicubic" since).
      channels: C; 3 repeats a grey image to three channels, 1 takes the luminance of a colour image.
      mean, std: one value per channel; None leaves the values in [0, 1].
      invert: turns dark ink on white paper into bright ink on black.
    """

    size: Pixels = 84
    filter: str = "bicubic"
    channels: Literal[1, 3] = 3
    mean: Sequence[Real] | None = None
    std: Sequence[Positive] | None = None
    invert: bool = False

    def __post_init__(self) -> None:
        require_at_least(1, "Transform", size=self.size)
        if self.filter not in FILTERS:
            raise UserError(f"Transform.filter = {self.filter!r} must be one of {', '.join(FILTERS)}")
        if self.channels not in (1, 3):
            raise UserError(f"Transform.channels = {self.channels!r} must be 1 or 3")
        if (self.mean is None) != (self.std is None):
            raise UserError("Transform.mean and Transform.std go together; give both or neither")
        for name in ("mean", "std"):
            values = getattr(self, name)
            if values is not None and len(values) != self.channels:
                raise UserError(f"Transform.{name} = {values!r} must have {self.channels} values, one a channel")
        if self.std is not None and not min(self.std) > 0:
            raise UserError(f"Transform.std = {self.std!r} must be positive")

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """The transformed image, [C, S, S] float32."""
        return self.normalise(self.resize(image)[np.newaxis])[0]

    def resize(self, image: Image.Image) -> np.ndarray:
        """The resized image, [S, S, C] uint8."""
        image = image.convert("L") if image.mode == "1" else image
        if image.size != (self.size, self.size):
            image = image.resize((self.size, self.size), FILTERS[self.filter])
        image = image.convert("RGB" if self.channels == 3 else "L")
        return np.array(ImageOps.invert(image) if self.invert else image).reshape(self.size, self.size, -1)

    def normalise(self, pixels: np.ndarray) -> torch.Tensor:
        """Resized images [N, S, S, C] uint8 as a normalised tensor [N, C, S, S] float32, channels_last in memory."""
        values = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        if self.mean is None:
            return values
        return (values - _by_channel(self.mean)) / _by_channel(self.std)

    def stamp(self) -> dict:
        """All fields as JSON values (tuples become lists)."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


@gin.configurable("Transform")
@dataclass(frozen=True)
class ConfiguredTransform(Transform):
    """The gin-configurable Transform. Data sets define their defaults with the class above, which reads no bindings."""


def _by_channel(values: Sequence[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1)
