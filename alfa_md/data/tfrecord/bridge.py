"""Zero-copy conversion of TensorFlow images to PyTorch (DLPack)."""

from torch import Tensor
from torch.utils import dlpack


def images_to_torch(images) -> Tensor:
    """A view of a TensorFlow CPU tensor of images [N, H, W, C] as [N, C, H, W], in memory format channels_last.

    The view shares the buffer and keeps it alive.
    """
    return dlpack.from_dlpack(images).permute(0, 3, 1, 2)
