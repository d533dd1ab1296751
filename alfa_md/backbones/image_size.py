"""Checks of the dimensions, the size and the channels of images in backbones."""

from torch import Tensor

from alfa_md.errors import UserError


def require_images(images: Tensor, owner: str) -> None:
    """Raises UserError unless images have the dimensions [N, C, H, W]."""
    if images.dim() != 4:
        raise UserError(
            f"{owner} takes images [N, C, H, W], but this data has {images.dim()} dimensions; "
            "bind a backbone for it, as BACKBONE = @RegressionMLP() for points"
        )


def require_pixels(images: Tensor, smallest: int, owner: str) -> None:
    """Raises UserError if images [N, C, H, W] have fewer than `smallest` pixels per side."""
    require_images(images, owner)
    if min(images.shape[2:]) < smallest:
        size = "x".join(map(str, images.shape[2:]))
        raise UserError(f"{owner} needs {smallest} pixels a side or more, not {size}; raise IMAGE_SIZE")


def require_exact_pixels(images: Tensor, size: int, owner: str) -> None:
    """Raises UserError unless images [N, C, H, W] have `size` pixels per side."""
    require_images(images, owner)
    if images.shape[2:] != (size, size):
        given = "x".join(map(str, images.shape[2:]))
        raise UserError(
            f"{owner} is made for {size}x{size} pixels, not {given}; set {owner}.image_size and IMAGE_SIZE to one value"
        )


def require_channels(images: Tensor, channels: int, owner: str) -> None:
    """Raises UserError unless images [N, C, H, W] have so many channels."""
    if images.shape[1] != channels:
        given = images.shape[1]
        raise UserError(f"{owner}.in_channels = {channels}, but the images have {given}; set it to {given}")
