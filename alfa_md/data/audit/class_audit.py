"""Audit of one record file: framing, checksums, labels, images and their order."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from alfa_md.data.audit.finding import Finding
from alfa_md.data.audit.order_bias import FEWEST, neighbours_resemble, pair_positions
from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.decoder import Decoder, UndecodableImage
from alfa_md.data.tfrecord.records import decode_example, read_records, scan_offsets
from alfa_md.errors import UserError

OWN_NUMBER = "the number of its file"


class FileAudit(NamedTuple):
    """Result for one record file: records found, records checked, size in bytes, and findings."""

    records: int
    checked: int
    size: int
    findings: tuple[Finding, ...]


class Auditor(NamedTuple):
    """Audits the record file of a class id; checks `sampled` random records of it, or all if None."""

    spec: DatasetSpec
    decoder: Decoder
    sampled: int | None

    def __call__(self, class_id: int) -> FileAudit:
        path, planned = self.spec.class_file(class_id), self.spec.images_per_class[class_id]
        remedy = f"delete it and run `alfa_md.convert {self.spec.name}` again, which writes this class only"
        try:
            offsets = scan_offsets(path)
        except UserError as error:
            return FileAudit(0, 0, 0, (Finding(f"{problem(error)}; {remedy}"),))
        found, findings = len(offsets) - 1, []
        if found != planned:
            line = f"{path}: has {found} records, its specification says {planned}; {remedy}"
            findings.append(Finding(line))
        numbers = sampled_numbers(self.sampled, class_id, found)
        for number in numbers:
            findings += check_record(path, offsets, number, class_id, self.decoder, OWN_NUMBER, remedy)
        if not findings and self._neighbours_resemble(path, offsets):
            line = f"{path}: neighbours resemble each other; a reader that reads on in windows sees them together"
            findings.append(Finding(f"{line} (this package draws from the whole file)", warning=True))
        return FileAudit(found, len(numbers), int(offsets[-1]), tuple(findings))

    def _neighbours_resemble(self, path: Path, offsets: np.ndarray) -> bool:
        if len(offsets) < FEWEST:
            return False
        places = pair_positions(len(offsets) - 1)
        try:
            firsts, seconds = (self._pixels(path, offsets, [n + step for n in places]) for step in (0, 1))
        except UserError:  # in a record that was not sampled; a full check reports it
            return False
        return neighbours_resemble(firsts, seconds)

    def _pixels(self, path: Path, offsets: np.ndarray, numbers: list[int]) -> np.ndarray:
        payloads = read_records(path, offsets, numbers)
        return self.decoder([decode_example(payload, str(path))[0] for payload in payloads]).numpy()


def sampled_numbers(sampled: int | None, class_id: int, found: int) -> list[int]:
    """The sorted numbers of `sampled` random records of `found` (fixed seed), or of all."""
    if sampled is None or found <= sampled:
        return list(range(found))
    rng = np.random.RandomState(class_id)
    return sorted(rng.choice(found, sampled, replace=False).tolist())


def check_record(
    path: Path, offsets: np.ndarray, number: int, expected: int, decoder: Decoder, meaning: str, remedy: str
) -> Iterator[Finding]:
    """Yields a finding if the checksum, label or image of a record is invalid; `meaning` is that of its label."""
    where = f"{path}: record {number}"
    try:
        (payload,) = read_records(path, offsets, [number])
        image, label = decode_example(payload, where)
        if label != expected:
            yield Finding(f"{where} has label {label}, not {meaning}; {remedy}")
        decoder([image])
    except UndecodableImage as error:
        yield Finding(f"{where}: the image {error.complaint}")
    except UserError as error:
        yield Finding(f"{problem(error)}; {remedy}")


def problem(error: UserError) -> str:
    """The error message without its final remedy."""
    return str(error).rpartition("; ")[0] or str(error)
