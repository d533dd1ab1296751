"""The files of dumped episodes, in the format of `dump_episodes` of the original Meta-Dataset program.

In the folder of a source, the support set of episode 7 is `episode-0007-train.tfrecords` and its query set
`episode-0007-test.tfrecords`, with labels that count from 0 within the episode; `images_per_class.json` says
{file: {label: number of images}}. What `alfa_md.episodes dump` has written also holds `fingerprints.json`: the seed,
and what each episode is made of. Reference: Triantafillou et al., "Meta-Dataset", ICLR 2020 (arXiv:1903.03096).
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from alfa_md.data.tfrecord.records import decode_example, read_records, scan_offsets
from alfa_md.errors import MissingSource, UserError

SETS = ("train", "test")  # the format's words for support set and query set
COUNTS_FILE, FINGERPRINTS_FILE = "images_per_class.json", "fingerprints.json"
EPISODE_FILE = re.compile(r"episode-(\d{4,})-(?:train|test)\.tfrecords")
REMEDY = "dump the episodes again"


class DumpedExample(NamedTuple):
    """One record of an episode's file."""

    image: bytes  # encoded
    label: int
    where: str  # the words by which a message names the image


def episode_file(number: int, set_name: str) -> str:
    """Of the support set ("train") or the query set ("test") of an episode."""
    return f"episode-{number:04d}-{set_name}.tfrecords"


def read_counts(directory: Path) -> dict[str, dict[int, int]]:
    """{file: {label: images}}. Raises MissingSource where there is no directory, UserError for other content."""
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
    """Seed and fingerprints of so many episodes; None where no file tells. Raises UserError for other content."""
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
    """The sizes in bytes of the files that hold episodes, by name."""
    return {file.name: file.stat().st_size for file in sorted(directory.iterdir()) if EPISODE_FILE.fullmatch(file.name)}


def read_examples(path: Path, counts: Mapping[int, int]) -> list[DumpedExample]:
    """The images of one file, by label, else in their order.

    Raises UserError naming the file, and the record where one is at fault, or where the labels are not as counted.
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
    """The content of a file; None where there is none."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is not valid JSON ({error}); {REMEDY}") from error


def _whole(value: Any, lowest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
        raise ValueError(f"{value!r} is no whole number of at least {lowest}")
    return value
