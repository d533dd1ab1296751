"""Random access to the encoded images in the record files of one Meta-Dataset source."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np

from alfa_md.data.layouts import RecordId
from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.index import class_offsets, discard_index
from alfa_md.data.tfrecord.records import decode_example, read_records
from alfa_md.errors import UserError

# Offsets of larger files stay memory-mapped, smaller ones are copied: a mapping keeps a file open, and a process can
# open about a thousand.
MAPPED = 10_000  # records


class RecordFiles:
    """The record files of a source; a file is indexed on first access. Thread-safe."""

    def __init__(self, spec: DatasetSpec):
        self.spec, self.layout = spec, spec.layout
        self._offsets: dict[int, np.ndarray] = {}

    def read_images(self, chosen: Sequence[RecordId]) -> list[bytes]:
        """The encoded images of N records, in the order of `chosen`.

        Opens each file once and reads only the chosen records. Raises UserError naming the file, and the record if one
        is at fault, if it is unreadable, damaged, or has another number of records than stated.
        """
        numbers: dict[int, list[int]] = {}
        positions: dict[int, list[int]] = {}
        for position, (file, number) in enumerate(map(self.layout.locate, chosen)):
            numbers.setdefault(file, []).append(number)
            positions.setdefault(file, []).append(position)
        encoded = [b""] * len(chosen)
        for file, own in numbers.items():
            for position, image in zip(positions[file], self._read(file, own), strict=True):
                encoded[position] = image
        return encoded

    def describe(self, record: RecordId) -> str:
        """The name of a record's image in error messages."""
        file, number = self.layout.locate(record)
        return f"{self.layout.file(file)}: the image of record {number}"

    def _read(self, file: int, numbers: Sequence[int]) -> list[bytes]:
        path = self.layout.file(file)
        try:
            payloads = read_records(path, self._file_offsets(file), numbers)
        except UserError:  # by a damaged index, if not of the file itself
            self._offsets.pop(file, None)
            discard_index(path)
            payloads = read_records(path, self._file_offsets(file), numbers)
        return [decode_example(data, f"{path}: record {n}")[0] for n, data in zip(numbers, payloads, strict=True)]

    def _file_offsets(self, file: int) -> np.ndarray:
        if file not in self._offsets:
            path, stated = self.layout.file(file), self.layout.num_records(file)
            offsets = class_offsets(path)
            if len(offsets) - 1 != stated:
                raise UserError(
                    f"{path}: holds {len(offsets) - 1} records, but {self.layout.statement} states {stated}; "
                    f"{self.layout.remedy}"
                )
            self._offsets[file] = offsets if stated > MAPPED else offsets.copy()
        return self._offsets[file]


def spec_fingerprint(spec: DatasetSpec) -> str:
    """First 16 hex digits of the SHA-256 of a specification."""
    return hashlib.sha256(json.dumps(spec.to_json(), sort_keys=True).encode()).hexdigest()[:16]
