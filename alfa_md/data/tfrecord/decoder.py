"""Base class of image decoders: encoded images to square images, with equal pixels for every decoder."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from alfa_md.data.tfrecord.dimensions import dimensions
from alfa_md.errors import UserError, require_at_least

Size = tuple[int, int]  # width and height of an image, in pixels
NOT_AN_IMAGE = "is not a whole still picture in JPEG, PNG or BMP; convert it again"


class UndecodableImage(UserError):
    """An image that is incomplete, animated, of an unknown format, too large, or unusual.

    `position` is its index in the batch; `complaint` is the error message without the name of the image.
    """

    def __init__(self, position: int, complaint: str = NOT_AN_IMAGE):
        super().__init__(f"image {position} {complaint}")
        self.position, self.complaint = position, complaint


class Decoder(ABC):
    """Decodes images and resizes them bilinearly to a square (aligned corners, no antialiasing).

    JPEG, PNG and BMP; grey is repeated to three channels, transparency is dropped, EXIF rotation is ignored. An image
    with `max_pixels` pixels or more by its header is refused before memory is allocated. Thread-safe; each call uses
    `num_threads` threads.
    """

    name: ClassVar[str]

    def __init__(self, image_size: int = 84, num_threads: int = 2, max_pixels: int = 100_000_000):
        require_at_least(1, self.name, image_size=image_size, num_threads=num_threads, max_pixels=max_pixels)
        self.image_size = image_size
        self.num_threads = num_threads
        self.max_pixels = max_pixels

    def __call__(self, images: Sequence[bytes]) -> Tensor:
        """N >= 1 encoded images to [N, 3, S, S] float32 in [-1, 1], channels_last. Raises UndecodableImage."""
        return self._decode_checked(images, normalised=True)

    def decode_unnormalised(self, images: Sequence[bytes]) -> Tensor:
        """`__call__` without normalisation: float32 in [0, 255]."""
        return self._decode_checked(images, normalised=False)

    def _decode_checked(self, images: Sequence[bytes], normalised: bool) -> Tensor:
        sizes = [self._size(position, image) for position, image in enumerate(images)]
        return self._decode_batch(images, sizes, normalised)

    @abstractmethod
    def _decode_batch(self, images: Sequence[bytes], sizes: Sequence[Size], normalised: bool) -> Tensor:
        """Decode images with valid headers to [0, 255], or [-1, 1] if `normalised`. Raises UndecodableImage."""

    def _size(self, position: int, image: bytes) -> Size:
        size = dimensions(image)
        if size is None:
            raise UndecodableImage(position)
        width, height = size
        if width * height >= self.max_pixels:
            claim = f"claims {width} x {height} pixels, not below {self.name}.max_pixels = {self.max_pixels}"
            raise UndecodableImage(position, f"{claim}; convert it again in a smaller size or raise the limit")
        return size
