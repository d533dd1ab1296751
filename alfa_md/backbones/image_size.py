"""Checks of the size and the channels of images in backbones."""

from torch import Tensor

from alfa_md.errors import UserError


def require_pixels(images: Tensor, smallest: int, owner: str) -> None:
    """Raises UserError if images [N, C, H, W] have fewer than `smallest` pixels per side."""
    if min(images.shape[2:]) < smallest:
        size = "x".join(map(str, images.shape[2:]))
        raise UserError(f"{owner} needs {smallest} pixels a side or more, not {size}; raise IMAGE_SIZE")


def require_exact_pixels(images: Tensor, size: int, owner: str) -> None:
    """Raises UserError unless images [N, C, H, W] have `size` pixels per side."""
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
