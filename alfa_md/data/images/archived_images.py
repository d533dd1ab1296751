"""Image set over an archive of images that is held in memory."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from alfa_md.data.file_digests import short_digest
from alfa_md.data.image_modes import read_image
from alfa_md.data.images.image_set import ImageSet
from alfa_md.data.open_image import UnreadableImage
from alfa_md.errors import MissingSplit, UserError


def from_pixels(stored: np.ndarray, name: str) -> Image.Image:
    """The image of an array of pixels [H, W, 3] uint8."""
    return Image.fromarray(stored)


class ArchivedImages(ImageSet):
    """An image set over `images`, of which class `name` has those at the indices `members[name]`.

    `decode` converts one of `images`, given its name in errors, to a Pillow image and is thread-safe. `where` names
    the archive in errors. Raises MissingSplit if there is no class, UserError if an index is out of range.
    """

    def __init__(
        self,
        where: Path | str,
        images: Sequence[Any],
        members: Mapping[str, Sequence[int]],
        stamp: Mapping[str, str],
        decode: Callable[[Any, str], Image.Image] = from_pixels,
    ) -> None:
        if not members:
            raise MissingSplit(f"{where}: holds no class")
        self.class_names = tuple(sorted(members))
        self._members = [np.asarray(members[name]) for name in self.class_names]
        self.images_per_class = tuple(map(len, self._members))
        self._where, self._images, self._stamp, self._decode = where, images, dict(stamp), decode
        for name, indices in zip(self.class_names, self._members, strict=True):
            if len(indices) and not (0 <= indices.min() and indices.max() < len(images)):
                raise UserError(f"{where}: class {name!r} has images beyond the {len(images)}; download the file again")

    def image(self, class_id: int, number: int) -> Image.Image:
        """The stored image. Raises UnreadableImage naming file, class and number if it cannot be decoded."""
        stored = self._images[self._members[class_id][number]]
        return self._decode(stored, f"{self._where}: image {number} of class {self.class_names[class_id]!r}")

    def stamp(self) -> dict:
        return dict(self._stamp)

    def digests(self) -> dict[str, str]:
        """Digests of the number of images of every class, and of its first and its last one."""
        classes = zip(self.class_names, self._members, strict=True)
        ends = {name: (len(own), own[:1].tolist() + own[-1:].tolist()) for name, own in classes}
        return {name: short_digest(name, count, *map(self._bytes, both)) for name, (count, both) in ends.items()}

    def _bytes(self, index: int) -> bytes:
        stored = self._images[index]
        return stored.encode("latin-1") if isinstance(stored, str) else bytes(stored)


def members_by_label(labels: np.ndarray, name: Callable[[int], str]) -> dict[str, np.ndarray]:
    """Image indices by class name, in archive order, given the label [N] of every image."""
    order = np.argsort(labels, kind="stable")
    present, starts = np.unique(labels[order], return_index=True)
    return dict(zip(map(name, present.tolist()), np.split(order, starts[1:]), strict=True)) if len(labels) else {}


def decode_image(stored: Any, name: str) -> Image.Image:
    """The image in a PNG or JPEG, stored as bytes or as a uint8 array of any shape.

    Raises UnreadableImage with `name`, which stands for the image in errors.
    """
    if isinstance(stored, str):  # bytes of Python 2
        stored = stored.encode("latin-1", "replace")
    if isinstance(stored, np.ndarray) and stored.dtype == np.uint8:
        stored = stored.tobytes()
    if not isinstance(stored, bytes):
        raise UnreadableImage(f"{name}: is neither bytes nor an array of bytes; download the file again")
    return read_image(name, stored)
