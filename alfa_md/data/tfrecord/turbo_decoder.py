"""Encoded images to pixels without TensorFlow: libjpeg-turbo for JPEG, Pillow for the rest."""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import local

import gin
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from alfa_md.data.tfrecord.decoder import Decoder, UndecodableImage
from alfa_md.data.tfrecord.resize import resize_into
from alfa_md.errors import UserError

JPEG = b"\xff\xd8"
BROKEN = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # of simplejpeg and of Pillow
RUN = 8  # images that a thread decodes before it looks for more
SMALL = 10_000  # bytes: threads that decode smaller images wait for each other more than they help
ENDS_EARLY = "Premature end"  # a JPEG without its last bytes; of other flaws decoders make what they can


@gin.configurable("turbo")
class TurboDecoder(Decoder):
    """Equal to the TensorFlow decoder, pixel for pixel, and several times faster on small images.

    Raises UserError if simplejpeg is not installed.
    """

    name = "turbo"

    def __init__(self, image_size: int = 84, num_threads: int = 2, max_pixels: int = 100_000_000):
        super().__init__(image_size, num_threads, max_pixels)
        try:
            import simplejpeg
        except ImportError as error:
            raise UserError(
                "simplejpeg is not installed: run scripts/install.sh turbo, or pip install -e '.[turbo]' in the clone"
            ) from error
        self._simplejpeg = simplejpeg
        self._threads = ThreadPoolExecutor(num_threads, "decode") if num_threads > 1 else None
        self._memory = local()

    def _decoded(self, images: Sequence[bytes]) -> Tensor:
        levels = np.empty((len(images), self.image_size, self.image_size, 3), np.float32)

        def decode(positions: range) -> None:
            for position in positions:
                try:
                    resize_into(levels[position], self._pixels(images[position]))
                except BROKEN as error:
                    raise UndecodableImage(position) from error

        threads = self._threads if sum(map(len, images)) > SMALL * len(images) else None
        runs = [range(len(images))[start : start + RUN] for start in range(0, len(images), RUN)]
        together = threads.map if threads and len(runs) > 1 else map
        list(together(decode, runs))  # the first error, in the order of the images, is raised here
        return torch.from_numpy(levels).permute(0, 3, 1, 2)

    def _pixels(self, image: bytes) -> np.ndarray:
        """[H, W, 4] uint8, valid until the next call of this thread; the fourth channel is arbitrary."""
        if not image.startswith(JPEG):
            return np.asarray(_three_channels(Image.open(io.BytesIO(image))).convert("RGBX"))
        height, width, space, _ = self._simplejpeg.decode_jpeg_header(image, strict=False)
        in_ink = space in ("CMYK", "YCCK")
        pixels = self._decode_jpeg(image, "CMYK" if in_ink else "RGBX", self._buffer(height * width * 4))
        return _light(pixels, inverted=b"Adobe" in image[:4096]) if in_ink else pixels

    def _decode_jpeg(self, image: bytes, space: str, buffer: bytearray) -> np.ndarray:
        """With the fast integer transform and smooth chroma, which is TensorFlow's default."""

        def decoded(strict: bool) -> np.ndarray:
            return self._simplejpeg.decode_jpeg(image, space, fastdct=True, buffer=buffer, strict=strict)

        try:
            return decoded(strict=True)
        except ValueError as error:
            if ENDS_EARLY in str(error):
                raise
            return decoded(strict=False)

    def _buffer(self, size: int) -> bytearray:
        """Memory of this thread, used again: fresh pages would cost a tenth of the decoding."""
        kept = getattr(self._memory, "buffer", b"")
        if len(kept) < size:
            kept = self._memory.buffer = bytearray(size)
        return kept


def _three_channels(image: Image.Image) -> Image.Image:
    """Without transparency, and of 16 bits the high byte: Pillow's own conversion would clip them."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def _light(ink: np.ndarray, inverted: bool) -> np.ndarray:
    """[H, W, 4] cyan, magenta, yellow, black as red, green, blue; Adobe's files hold 255 for no ink."""
    levels = ink.astype(np.int32) if inverted else 255 - ink.astype(np.int32)
    return (levels * levels[..., 3:] // 255).astype(np.uint8)
