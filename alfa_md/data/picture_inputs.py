"""Picture files as network inputs, prepared as the reader of a run prepares its images."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from alfa_md.data.image_modes import load_eight_bits, read_image
from alfa_md.data.images.transform import Transform
from alfa_md.data.open_image import open_image
from alfa_md.data.tfrecord.decoder import Decoder, UndecodableImage
from alfa_md.data.tfrecord.resize import resize
from alfa_md.pixels import normalise

OF_RECORDS = ("JPEG", "PNG", "BMP")  # formats of Meta-Dataset's records


class PictureInput(Protocol):
    """The preparation of a picture for a network."""

    def __call__(self, file: Path, content: bytes) -> Tensor:
        """The input [C, S, S] float32 of a file's content. Raises UnreadableImage naming `file`."""


class RecordInput(NamedTuple):
    """As an image of Meta-Dataset's records: by the decoder of the run, resized without antialiasing, in [-1, 1].

    Other formats than those of records, and JPEG files that the decoder does not take, are decoded by Pillow.
    """

    decoder: Decoder

    def __call__(self, file: Path, content: bytes) -> Tensor:
        """[3, S, S] float32. Raises UnreadableImage naming `file`."""
        with open_image(file, content) as image:
            if image.format in OF_RECORDS and not getattr(image, "is_animated", False):
                with suppress(UndecodableImage):
                    return self.decoder([content])[0]
            pixels = np.asarray(load_eight_bits(image, file).convert("RGB"))
        resized = torch.from_numpy(resize(pixels[np.newaxis], self.decoder.image_size)[0])
        return normalise(resized.permute(2, 0, 1).expand(3, -1, -1))


class ImageInput(NamedTuple):
    """As an image of an image data set: opened by Pillow and prepared by the transform of the run."""

    transform: Transform

    def __call__(self, file: Path, content: bytes) -> Tensor:
        """[C, S, S] float32. Raises UnreadableImage naming `file`."""
        return self.transform(read_image(file, content))


def read_content(file: Path) -> bytes:
    """The bytes of a picture file. Raises UnreadableImage naming it if it cannot be read."""
    with open_image(file):  # for its errors, of missing files among others
        return file.read_bytes()
