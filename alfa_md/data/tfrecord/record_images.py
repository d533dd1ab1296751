"""Decoded images of one Meta-Dataset source, by class id and record number."""

from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor

from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.decoder import UndecodableImage
from alfa_md.data.tfrecord.record_files import RecordFiles, RecordId, spec_fingerprint
from alfa_md.errors import UserError

Decode = Callable[[Sequence[bytes]], Tensor]  # N encoded images -> [N, 3, S, S]; an object with `name` and `image_size`


class RecordImages(Protocol):
    """Interface to the decoded images of a source; thread-safe."""

    def images(self, chosen: Sequence[RecordId]) -> Tensor:
        """Images [N, 3, S, S] of N >= 1 records, in order: float32 in [-1, 1], or uint8.

        Raises UserError naming the file, and the record if one is at fault.
        """

    def stamp(self) -> dict:
        """Stamp of everything that images depend on: specification, decoder, image size and cache."""


class DecodedImages(RecordImages):
    """Images read and decoded at every access, without rounding; only the chosen records are read."""

    def __init__(self, spec: DatasetSpec, decoder: Decode):
        self._files, self._decoder = RecordFiles(spec), decoder

    def images(self, chosen: Sequence[RecordId]) -> Tensor:
        return decode_records(self._decoder, self._files, chosen)

    def stamp(self) -> dict:
        return reading_stamp(self._files, self._decoder) | {"cache": None}


def decode_records(decode: Decode, files: RecordFiles, chosen: Sequence[RecordId]) -> Tensor:
    """The decoded images of these records. Raises UserError naming the record of an undecodable image."""
    try:
        return decode(files.read_images(chosen))
    except UndecodableImage as error:
        raise UserError(f"{files.describe(chosen[error.position])} {error.complaint}") from error


def reading_stamp(files: RecordFiles, decoder: Decode) -> dict:
    return {"spec": spec_fingerprint(files.spec), "decoder": decoder.name, "image_size": decoder.image_size}
