"""Random access to the encoded images in the record files of one Meta-Dataset source."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np

from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.index import class_offsets, discard_index
from alfa_md.data.tfrecord.records import decode_example, read_records
from alfa_md.errors import UserError

# Offsets of larger files stay memory-mapped, smaller ones are copied: a mapping keeps a file open, and a process can
# open about a thousand.
MAPPED = 10_000  # records

RecordId = tuple[int, int]  # class id, record number


class RecordFiles:
    """The record files of a source; a file is indexed on first access. Thread-safe."""

    def __init__(self, spec: DatasetSpec):
        self.spec = spec
        self._offsets: dict[int, np.ndarray] = {}

    def read_images(self, chosen: Sequence[RecordId]) -> list[bytes]:
        """The encoded images of N records, in the order of `chosen`.

        Opens each class file once and reads only the chosen records. Raises UserError naming the file, and the record
        if one is at fault, if it is unreadable, damaged, or has another number of records than the specification.
        """
        positions: dict[int, list[int]] = {}
        for position, (class_id, _) in enumerate(chosen):
            positions.setdefault(class_id, []).append(position)
        encoded = [b""] * len(chosen)
        for class_id, own in positions.items():
            images = self._read(class_id, [chosen[position][1] for position in own])
            for position, image in zip(own, images, strict=True):
                encoded[position] = image
        return encoded

    def describe(self, record: RecordId) -> str:
        """The name of a record's image in error messages."""
        class_id, number = record
        return f"{self.spec.class_file(class_id)}: the image of record {number}"

    def _read(self, class_id: int, numbers: Sequence[int]) -> list[bytes]:
        path = self.spec.class_file(class_id)
        try:
            payloads = read_records(path, self._class_offsets(class_id), numbers)
        except UserError:  # by a damaged index, if not of the file itself
            self._offsets.pop(class_id, None)
            discard_index(path)
            payloads = read_records(path, self._class_offsets(class_id), numbers)
        return [decode_example(data, f"{path}: record {n}")[0] for n, data in zip(numbers, payloads, strict=True)]

    def _class_offsets(self, class_id: int) -> np.ndarray:
        if class_id not in self._offsets:
            path, stated = self.spec.class_file(class_id), self.spec.images_per_class[class_id]
            offsets = class_offsets(path)
            if len(offsets) - 1 != stated:
                raise UserError(
                    f"{path}: holds {len(offsets) - 1} records, but dataset_spec.json states {stated}; "
                    "convert the source again, or put the spec that belongs to these files beside them"
                )
            self._offsets[class_id] = offsets if stated > MAPPED else offsets.copy()
        return self._offsets[class_id]


def spec_fingerprint(spec: DatasetSpec) -> str:
    """First 16 hex digits of the SHA-256 of a specification."""
    return hashlib.sha256(json.dumps(spec.to_json(), sort_keys=True).encode()).hexdigest()[:16]
