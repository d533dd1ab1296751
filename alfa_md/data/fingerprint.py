"""A short name for what an episode is made of: the same on every platform, and however its images are read."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Protocol


class Drawn(Protocol):
    """What an episode takes from one class: `ClassRecords` of record files, `ClassImages` of image folders."""

    class_id: int
    support: Sequence[int]  # record numbers, or an array of them
    query: Sequence[int]


def fingerprint(source: str, split: str, drawn: Iterable[Drawn]) -> str:
    """The first 16 hex digits of a SHA-256 over source, split, class ids and record numbers, in the episode's order.

    Two episodes with the same fingerprint have the same images under the same labels. How images are decoded, and of
    what size they are, is no part of it, nor is the seed: another seed that drew the same records would name the same
    episode.
    """
    classes = [[int(c.class_id), list(map(int, c.support)), list(map(int, c.query))] for c in drawn]
    content = json.dumps([source, split, classes], separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()[:16]
