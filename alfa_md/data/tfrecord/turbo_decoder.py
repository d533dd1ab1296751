"""Image decoder without TensorFlow: libjpeg-turbo for JPEG, Pillow for other formats."""

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
from alfa_md.values import Count, Pixels, Threads

JPEG = b"\xff\xd8"
BROKEN = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # raised by simplejpeg and Pillow
CHUNK = 8  # images per task of a decoding thread
MAX_RUN_PIXELS = 100_000  # pixels that are resized together
SMALL_IMAGE_BYTES = 10_000  # bytes; for smaller images, threads cost more than they gain
TRUNCATED = "Premature end"  # in the message for a truncated JPEG; other damage is tolerated


@gin.configurable("turbo")
class TurboDecoder(Decoder):
    """Decodes with libjpeg-turbo: bit-identical to the TensorFlow decoder, several times faster on small images.

    Raises UserError if simplejpeg is not installed.
    """

    name = "turbo"

    def __init__(self, image_size: Pixels = 84, num_threads: Threads = 2, max_pixels: Count = 100_000_000):
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
                resized = resize(self._decode_run(images, run, sizes[run.start]), self.image_size)
                if normalised:
                    normalise_in_place(resized)
                _replicate(resized, result[run.start : run.stop])

        threads = self._threads if sum(map(len, images)) > SMALL_IMAGE_BYTES * len(images) else None
        chunks = [range(len(images))[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
        parallel_map = threads.map if threads and len(chunks) > 1 else map
        list(parallel_map(decode, chunks))  # raises the first error in image order
        return torch.from_numpy(result).permute(0, 3, 1, 2)

    def _decode_run(self, images: Sequence[bytes], run: range, size: Size) -> np.ndarray:
        """Decoded images [N, H, W, 3] uint8 of one size, valid until the next call in this thread."""
        width, height = size
        buffers = self._buffer(len(run) * height * width * 3).reshape(len(run), height, width, 3)
        for position, pixels in zip(run, buffers, strict=True):
            try:
                self._decode(images[position], pixels)
            except BROKEN as error:
                raise UndecodableImage(position) from error
        return buffers

    def _decode(self, image: bytes, pixels: np.ndarray) -> None:
        """Decode an image into `pixels` [H, W, 3] uint8."""
        if not image.startswith(JPEG):
            pixels[...] = _three_channels(Image.open(io.BytesIO(image)))
        elif is_cmyk(image):
            pixels[...] = _cmyk_to_rgb(self._decode_jpeg(image, "CMYK", None), inverted=b"Adobe" in image[:4096])
        else:
            self._decode_jpeg(image, "RGB", pixels)

    def _decode_jpeg(self, image: bytes, space: str, buffer: np.ndarray | None) -> np.ndarray:
        """Decoded JPEG [H, W, C] uint8, with the fast integer DCT and smooth chroma, TensorFlow's default."""

        def decode_jpeg(strict: bool) -> np.ndarray:
            return self._simplejpeg.decode_jpeg(image, space, fastdct=True, buffer=buffer, strict=strict)

        try:
            return decode_jpeg(strict=True)
        except ValueError as error:
            if TRUNCATED in str(error):
                raise
            return decode_jpeg(strict=False)

    def _buffer(self, size: int) -> np.ndarray:
        """A reused thread-local buffer [size] uint8: new pages would cost a tenth of the decoding time."""
        kept = getattr(self._memory, "buffer", None)
        if kept is None or len(kept) < size:
            kept = self._memory.buffer = _odd_address_buffer(size)
        return kept[:size]


def _odd_address_buffer(size: int) -> np.ndarray:
    """A buffer [size] uint8 at an odd address: libjpeg-turbo bypasses the caches for rows aligned to 32 bytes."""
    memory = np.empty(size + 1, np.uint8)
    return memory[1 - memory.ctypes.data % 2 :][:size]


def _equal_size_runs(sizes: Sequence[Size], chunk: range) -> Iterator[range]:
    """Runs of consecutive images of equal size, limited to MAX_RUN_PIXELS so that they fit into the CPU cache."""
    start = chunk.start
    for position in chunk:
        width, height = sizes[position]
        fits = (position + 1 - start) * width * height <= MAX_RUN_PIXELS
        if position > start and not (fits and sizes[position] == sizes[start]):
            yield range(start, position)
            start = position
    yield range(start, chunk.stop)


def _replicate(resized: np.ndarray, target: np.ndarray) -> None:
    """Copy [N, S, S, C] to [N, S, S, 3]; a single channel is repeated."""
    if resized.shape[-1] == 3:
        target[...] = resized
        return
    for channel in range(3):  # one by one, because NumPy is slow on short last axes
        target[..., channel] = resized[..., 0]


def _three_channels(image: Image.Image) -> Image.Image:
    """Convert to RGB without transparency; takes the high byte of 16 bits, which Pillow would clip."""
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def _cmyk_to_rgb(cmyk: np.ndarray, inverted: bool) -> np.ndarray:
    """CMYK [H, W, 4] to RGB [H, W, 3]; `inverted` for Adobe files, in which 255 is no ink."""
    light = cmyk.astype(np.int32) if inverted else 255 - cmyk.astype(np.int32)
    return light[..., :3] * light[..., 3:] // 255
