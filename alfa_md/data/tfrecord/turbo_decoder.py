"""Encoded images to pixels without TensorFlow: libjpeg-turbo for JPEG, Pillow for the rest."""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import local

import gin
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from alfa_md.data.tfrecord.decoder import Decoder, Size, UndecodableImage
from alfa_md.data.tfrecord.dimensions import is_cmyk
from alfa_md.data.tfrecord.resize import resize
from alfa_md.errors import UserError
from alfa_md.pixels import normalise_in_place

JPEG = b"\xff\xd8"
BROKEN = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # of simplejpeg and of Pillow
CHUNK = 8  # images that a thread decodes before it looks for more
MAX_RUN_PIXELS = 100_000  # pixels that are resized at once
SMALL_IMAGE_BYTES = 10_000  # bytes: threads that decode smaller images wait for each other more than they help
TRUNCATED = "Premature end"  # a JPEG without its last bytes; of other flaws decoders make what they can


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

    def _decode_batch(self, images: Sequence[bytes], sizes: Sequence[Size], normalised: bool) -> Tensor:
        result = np.empty((len(images), self.image_size, self.image_size, 3), np.float32)

        def decode(chunk: range) -> None:
            for run in _equal_size_runs(sizes, chunk):
                levels = resize(self._decode_run(images, run, sizes[run.start]), self.image_size)
                if normalised:
                    normalise_in_place(levels)
                _replicate(levels, result[run.start : run.stop])

        threads = self._threads if sum(map(len, images)) > SMALL_IMAGE_BYTES * len(images) else None
        chunks = [range(len(images))[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
        together = threads.map if threads and len(chunks) > 1 else map
        list(together(decode, chunks))  # the first error, in the order of the images, is raised here
        return torch.from_numpy(result).permute(0, 3, 1, 2)

    def _decode_run(self, images: Sequence[bytes], run: range, size: Size) -> np.ndarray:
        """[N, H, W, 3] uint8 of images of one size, valid until the next call of this thread."""
        width, height = size
        pictures = self._buffer(len(run) * height * width * 3).reshape(len(run), height, width, 3)
        for position, picture in zip(run, pictures, strict=True):
            try:
                self._decode(images[position], picture)
            except BROKEN as error:
                raise UndecodableImage(position) from error
        return pictures

    def _decode(self, image: bytes, picture: np.ndarray) -> None:
        """Fills `picture`, [H, W, 3] uint8."""
        if not image.startswith(JPEG):
            picture[...] = _three_channels(Image.open(io.BytesIO(image)))
        elif is_cmyk(image):
            picture[...] = _cmyk_to_rgb(self._decode_jpeg(image, "CMYK", None), inverted=b"Adobe" in image[:4096])
        else:
            self._decode_jpeg(image, "RGB", picture)

    def _decode_jpeg(self, image: bytes, space: str, buffer: np.ndarray | None) -> np.ndarray:
        """[H, W, C] uint8; with the fast integer transform and smooth chroma, which is TensorFlow's default."""

        def decoded(strict: bool) -> np.ndarray:
            return self._simplejpeg.decode_jpeg(image, space, fastdct=True, buffer=buffer, strict=strict)

        try:
            return decoded(strict=True)
        except ValueError as error:
            if TRUNCATED in str(error):
                raise
            return decoded(strict=False)

    def _buffer(self, size: int) -> np.ndarray:
        """[size] uint8 of this thread, used again: fresh pages would cost a tenth of the decoding."""
        kept = getattr(self._memory, "buffer", None)
        if kept is None or len(kept) < size:
            kept = self._memory.buffer = _odd_address_buffer(size)
        return kept[:size]


def _odd_address_buffer(size: int) -> np.ndarray:
    """[size] uint8 from an odd address: rows that begin at multiples of 32 libjpeg-turbo writes past the caches."""
    memory = np.empty(size + 1, np.uint8)
    return memory[1 - memory.ctypes.data % 2 :][:size]


def _equal_size_runs(sizes: Sequence[Size], chunk: range) -> Iterator[range]:
    """Neighbours of one size, as many as stay in the processor's cache together."""
    start = chunk.start
    for position in chunk:
        width, height = sizes[position]
        fits = (position + 1 - start) * width * height <= MAX_RUN_PIXELS
        if position > start and not (fits and sizes[position] == sizes[start]):
            yield range(start, position)
            start = position
    yield range(start, chunk.stop)


def _replicate(levels: np.ndarray, target: np.ndarray) -> None:
    """[N, S, S, C] to [N, S, S, 3]: where there is one channel it stands for all three."""
    if levels.shape[-1] == 3:
        target[...] = levels
        return
    for channel in range(3):  # one by one, since NumPy is slow where the last axis is short
        target[..., channel] = levels[..., 0]


def _three_channels(image: Image.Image) -> Image.Image:
    """Without transparency, and of 16 bits the high byte: Pillow's own conversion would clip them."""
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def _cmyk_to_rgb(ink: np.ndarray, inverted: bool) -> np.ndarray:
    """[H, W, 4] cyan, magenta, yellow, black as [H, W, 3] red, green, blue; Adobe's files hold 255 for no ink."""
    levels = ink.astype(np.int32) if inverted else 255 - ink.astype(np.int32)
    return levels[..., :3] * levels[..., 3:] // 255
