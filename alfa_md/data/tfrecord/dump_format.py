"""File format of dumped episodes, that of `dump_episodes` in the original Meta-Dataset code.

In the folder of a source, the support set of episode 7 is `episode-0007-train.tfrecords` and its query set
`episode-0007-test.tfrecords`, with labels that count from 0 within the episode; `images_per_class.json` is
{file: {label: number of images}}. Dumps of `alfa_md.episodes dump` also have `fingerprints.json`: the seed and the
episode fingerprints. Reference: Triantafillou et al., "Meta-Dataset", ICLR 2020 (arXiv:1903.03096).
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from alfa_md.data.tfrecord.records import decode_example, read_records, scan_offsets
from alfa_md.errors import MissingSource, UserError
from alfa_md.system.text_files import read_json

SETS = ("train", "test")  # support and query set in file names
COUNTS_FILE, FINGERPRINTS_FILE = "images_per_class.json", "fingerprints.json"
EPISODE_FILE = re.compile(r"episode-(\d{4,})-(?:train|test)\.tfrecords")
REMEDY = "dump the episodes again"


class DumpedExample(NamedTuple):
    """One record of a dumped support or query set."""

    image: bytes  # encoded
    label: int
    where: str  # name of the image in error messages


def episode_file(number: int, set_name: str) -> str:
    """File name of the support ("train") or query ("test") set of an episode."""
    return f"episode-{number:04d}-{set_name}.tfrecords"


def read_counts(directory: Path) -> dict[str, dict[int, int]]:
    """{file: {label: images}}. Raises MissingSource if there is no directory, UserError for invalid content."""
    if not directory.is_dir():
        raise MissingSource(f"{directory}: not found; dumped episodes lie in <folder>/<split>/<source>")
    path = directory / COUNTS_FILE
    content = _read_json(path)
    if content is None:
        raise UserError(f"{path}: not found; dumping was interrupted, or these are no dumped episodes; {REMEDY}")
    try:
        return {file: {int(label): _whole(count, 1) for label, count in of.items()} for file, of in content.items()}
    except (AttributeError, ValueError) as error:
        raise UserError(f"{path}: must say {{file: {{label: number of images}}}}; {REMEDY}") from error


def read_fingerprints(directory: Path, episodes: int) -> tuple[int, list[str]] | None:
    """Seed and episode fingerprints; None if there is no such file. Raises UserError for invalid content."""
    path = directory / FINGERPRINTS_FILE
    content = _read_json(path)
    if content is None:
        return None
    try:
        seed, names = _whole(content["seed"], 0), list(map(str, content["fingerprints"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: must say seed and fingerprints; remove it, or {REMEDY}") from error
    if len(names) != episodes:
        raise UserError(f"{path}: has {len(names)} fingerprints for {episodes} episodes; remove it, or {REMEDY}")
    return seed, names


def read_file_sizes(directory: Path) -> dict[str, int]:
    """Size in bytes of each episode file by name."""
    return {file.name: file.stat().st_size for file in sorted(directory.iterdir()) if EPISODE_FILE.fullmatch(file.name)}


def read_examples(path: Path, counts: Mapping[int, int]) -> list[DumpedExample]:
    """The images of one file, stably sorted by label.

    Raises UserError naming the file, and the record if one is at fault, or if the labels do not match `counts`.
    """
    offsets = scan_offsets(path)
    found = []
    for number, data in enumerate(read_records(path, offsets, range(len(offsets) - 1))):
        image, label = decode_example(data, f"{path}: record {number}")
        found.append(DumpedExample(image, label, f"{path}: the image of record {number}"))
    if Counter(example.label for example in found) != counts:
        raise UserError(f"{path}: its labels are not those that {COUNTS_FILE} counts; {REMEDY}")
    return sorted(found, key=lambda example: example.label)


def _read_json(path: Path) -> Any:
    """The content of a JSON file; None if it does not exist. Raises UserError if it is invalid."""
    return read_json(path, REMEDY) if path.exists() else None


def _whole(value: Any, lowest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
        raise ValueError(f"{value!r} is no whole number of at least {lowest}")
    return value
