"""The images of one Meta-Dataset source at chosen places, read and decoded every time."""

from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor

from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.decoder import UndecodableImage
from alfa_md.data.tfrecord.record_files import ClassFiles, Place, fingerprint
from alfa_md.errors import UserError

Decode = Callable[[Sequence[bytes]], Tensor]  # N encoded images -> [N, 3, S, S]; an object with `name` and `image_size`


class RecordImages(Protocol):
    """May be used by several threads at once."""

    def images(self, chosen: Sequence[Place]) -> Tensor:
        """[N, 3, S, S] of N >= 1 places, in their order: float32 in [-1, 1], or uint8 grey levels.

        Raises UserError naming the file, and the record where one is at fault.
        """

    def stamp(self) -> dict:
        """What the images depend on besides the source's name: its specification, and how images are read."""


class DecodedImages(RecordImages):
    """Exact: nothing is rounded. Only the chosen records are touched."""

    def __init__(self, spec: DatasetSpec, decoder: Decode):
        self._files, self._decoder = ClassFiles(spec), decoder

    def images(self, chosen: Sequence[Place]) -> Tensor:
        return decoded(self._decoder, self._files, chosen)

    def stamp(self) -> dict:
        return stamp(self._files, self._decoder) | {"cache": None}


def decoded(decode: Decode, files: ClassFiles, chosen: Sequence[Place]) -> Tensor:
    """What `decode` makes of the records at these places; an undecodable image is named by its place."""
    try:
        return decode(files.encoded(chosen))
    except UndecodableImage as error:
        raise UserError(f"{files.name(chosen[error.position])} {error.complaint}") from error


def stamp(files: ClassFiles, decoder: Decode) -> dict:
    return {"spec": fingerprint(files.spec), "decoder": decoder.name, "image_size": decoder.image_size}
