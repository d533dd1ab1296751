"""Episode fingerprints: hashes of the source, split, classes and records of an episode."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Protocol


class DrawnClass(Protocol):
    """Records drawn from one class: `ClassRecords` from record files, `ClassImages` from image folders."""

    class_id: int
    support: Sequence[int]  # record numbers, list or array
    query: Sequence[int]


def episode_fingerprint(source: str, split: str, drawn: Iterable[DrawnClass]) -> str:
    """First 16 hex digits of the SHA-256 of source, split, class ids and record numbers, in the episode's order.

    Two episodes with the same fingerprint have the same images under the same labels. It does not depend on decoding,
    image size or seed, and is the same on every platform.
    """
    classes = [[int(c.class_id), list(map(int, c.support)), list(map(int, c.query))] for c in drawn]
    return short_hash(source, split, classes)


def short_hash(*parts: object) -> str:
    """First 16 hex digits of the SHA-256 of these JSON values."""
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()[:16]
