"""Image set over an archive of images that is held in memory."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from alfa_md.data.file_digests import short_digest
from alfa_md.data.images.image_files import BROKEN
from alfa_md.data.images.image_set import ImageSet
from alfa_md.errors import MissingSplit, UserError


class ArchivedImages(ImageSet):
    """An image set over `images`, of which class `name` has those at the indices `members[name]`.

    `decode` converts one of `images` to a Pillow image and must be thread-safe. `where` names the archive in errors.
    Raises MissingSplit if there is no class, UserError if an index is out of range.
    """

    def __init__(
        self,
        where: Path | str,
        images: Sequence[Any],
        members: Mapping[str, Sequence[int]],
        stamp: Mapping[str, str],
        decode: Callable[[Any], Image.Image] = Image.fromarray,
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
        """The stored image. Raises UserError naming file, class and number if it cannot be decoded."""
        stored = self._images[self._members[class_id][number]]
        try:
            return self._decode(stored)
        except BROKEN as error:
            name = self.class_names[class_id]
            raise UserError(
                f"{self._where}: image {number} of class {name!r} is not a readable picture; download the file again"
            ) from error

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


def decode_image(encoded: Any) -> Image.Image:
    """The image in a PNG or JPEG, given as bytes or as a uint8 array of any shape."""
    if isinstance(encoded, str):  # bytes of Python 2
        encoded = encoded.encode("latin-1")
    if isinstance(encoded, np.ndarray) and encoded.dtype == np.uint8:
        encoded = encoded.tobytes()
    if not isinstance(encoded, bytes):
        raise ValueError("neither bytes nor an array of bytes")
    with Image.open(io.BytesIO(encoded)) as image:
        return image.copy() if image.mode in ("1", "L", "RGB") else image.convert("RGB")
