"""Policy for original images: whether copied ones are decoded, and whether unreadable ones are left out."""

from contextlib import suppress
from typing import NamedTuple

import numpy as np

from alfa_md.data.convert_common.plan import UNREADABLE, Copied, Skipped, Unreadable
from alfa_md.data.open_image import UnreadableImage, open_image
from alfa_md.data.tfrecord.jpeg_decoder import JpegDecoder, UnsupportedJpeg
from alfa_md.errors import UserError


class ImagePolicy(NamedTuple):
    """Decides on each image of a plan.

    Attributes:
      verify: decodes images that are copied, as training will do; others have been decoded already.
      skip_unreadable: leaves unreadable images out; else they end the conversion.
    """

    verify: bool = True
    skip_unreadable: bool = False

    def __call__(self, image: bytes | Copied | Unreadable | Skipped) -> bytes | Skipped:
        """The bytes of the record, or the image as skipped. Raises UserError naming an unreadable original."""
        if isinstance(image, Copied):
            try:
                return verify_jpeg(image) if self.verify else image.content
            except UnreadableImage as error:
                image = Unreadable(str(image.file), str(error))
        if isinstance(image, Unreadable):
            if not self.skip_unreadable:
                raise UserError(f"{image.reason}, or leave it out with --skip_unreadable")
            return Skipped(*image, UNREADABLE)
        return image


def verify_jpeg(image: Copied) -> bytes:
    """The bytes of a copied JPEG that decodes as a whole. Raises UnreadableImage naming the file."""
    with open_image(image.file, image.content) as opened:
        try:
            decode = JpegDecoder()
        except UserError:  # simplejpeg is not installed
            opened.load()
            return image.content
        with suppress(UnsupportedJpeg):  # valid, but for TensorFlow alone
            decode(image.content, np.empty((opened.height, opened.width, 3), np.uint8))
    return image.content
