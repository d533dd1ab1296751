"""What every decoder does: encoded images in, square pictures out, the same pixels whichever decoder is at work."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from alfa_md.data.tfrecord.dimensions import dimensions
from alfa_md.errors import UserError, require_at_least

Size = tuple[int, int]  # width and height of a picture, in pixels
NOT_AN_IMAGE = "is not a whole still picture in JPEG, PNG or BMP; convert it again"


class UndecodableImage(UserError):
    """An image that is not one whole still picture, or one too large.

    `position` is its place among the images handed over; `complaint` says what is wrong, for who knows its name.
    """

    def __init__(self, position: int, complaint: str = NOT_AN_IMAGE):
        super().__init__(f"image {position} {complaint}")
        self.position, self.complaint = position, complaint


class Decoder(ABC):
    """Decodes, and resizes bilinearly to a square (aligned corners, no antialiasing).

    JPEG, PNG and BMP; grey becomes three equal channels, transparency is dropped, EXIF rotation is ignored. An image
    whose header claims more than `max_pixels` pixels is refused before memory is taken for them. May be called from
    several threads at once; `num_threads` threads decode for each call.
    """

    name: ClassVar[str]

    def __init__(self, image_size: int = 84, num_threads: int = 2, max_pixels: int = 100_000_000):
        require_at_least(1, self.name, image_size=image_size, num_threads=num_threads, max_pixels=max_pixels)
        self.image_size = image_size
        self.num_threads = num_threads
        self.max_pixels = max_pixels

    def __call__(self, images: Sequence[bytes]) -> Tensor:
        """[N, 3, S, S] float32 in [-1, 1], channels_last, of N >= 1 encoded images. Raises UndecodableImage."""
        return self._decode_checked(images, normalised=True)

    def decode_unnormalised(self, images: Sequence[bytes]) -> Tensor:
        """The same before scaling: float32 grey levels from 0 to 255."""
        return self._decode_checked(images, normalised=False)

    def _decode_checked(self, images: Sequence[bytes], normalised: bool) -> Tensor:
        sizes = [self._size(position, image) for position, image in enumerate(images)]
        return self._decode_batch(images, sizes, normalised)

    @abstractmethod
    def _decode_batch(self, images: Sequence[bytes], sizes: Sequence[Size], normalised: bool) -> Tensor:
        """What `levels` returns, or those scaled, of images with sound headers. Raises UndecodableImage."""

    def _size(self, position: int, image: bytes) -> Size:
        size = dimensions(image)
        if size is None:
            raise UndecodableImage(position)
        width, height = size
        if width * height > self.max_pixels:
            claim = f"claims {width} x {height} pixels, more than the {self.max_pixels} of {self.name}.max_pixels"
            raise UndecodableImage(position, f"{claim}; convert it again in a smaller size or raise the limit")
        return size
