"""The images of one Meta-Dataset source at chosen places, read and decoded every time."""

from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor

from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.decoder import UndecodableImage
from alfa_md.data.tfrecord.record_files import RecordFiles, RecordId, spec_fingerprint
from alfa_md.errors import UserError

Decode = Callable[[Sequence[bytes]], Tensor]  # N encoded images -> [N, 3, S, S]; an object with `name` and `image_size`


class RecordImages(Protocol):
    """May be used by several threads at once."""

    def images(self, chosen: Sequence[RecordId]) -> Tensor:
        """[N, 3, S, S] of N >= 1 places, in their order: float32 in [-1, 1], or uint8 grey levels.

        Raises UserError naming the file, and the record where one is at fault.
        """

    def stamp(self) -> dict:
        """What the images depend on besides the source's name: its specification, and how images are read."""


class DecodedImages(RecordImages):
    """Exact: nothing is rounded. Only the chosen records are touched."""

    def __init__(self, spec: DatasetSpec, decoder: Decode):
        self._files, self._decoder = RecordFiles(spec), decoder

    def images(self, chosen: Sequence[RecordId]) -> Tensor:
        return decode_records(self._decoder, self._files, chosen)

    def stamp(self) -> dict:
        return reading_stamp(self._files, self._decoder) | {"cache": None}


def decode_records(decode: Decode, files: RecordFiles, chosen: Sequence[RecordId]) -> Tensor:
    """What `decode` makes of the records at these places; an undecodable image is named by its place."""
    try:
        return decode(files.read_images(chosen))
    except UndecodableImage as error:
        raise UserError(f"{files.describe(chosen[error.position])} {error.complaint}") from error


def reading_stamp(files: RecordFiles, decoder: Decode) -> dict:
    return {"spec": spec_fingerprint(files.spec), "decoder": decoder.name, "image_size": decoder.image_size}
