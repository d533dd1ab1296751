"""Places of the records of a source: a file for each class, or slices of the concatenation of shards."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple, Protocol

SPEC_FILE = "dataset_spec.json"
FILE_PATTERN = "{}.tfrecords"
INFO_FILE, METADATA_FILE = "dataset_info.json", "metadata.json"  # of a source in shards
SHARD_PATTERN = "meta_dataset-all_classes.tfrecord-{:05d}-of-{:05d}"
BUILD_AGAIN = "build the source again with `tfds build`"

RecordId = tuple[int, int]  # class id, record number in the class
Place = tuple[int, int]  # file number, record number in the file


class Layout(Protocol):
    """Interface to the places of the records of a source."""

    remedy: str  # for files that are not as stated
    statement: str  # name of the file that states the number of records of each file

    def locate(self, record: RecordId) -> Place:
        """The place of a record that exists by the specification."""

    def file(self, number: int) -> Path:
        """The path of a file."""

    def num_records(self, number: int) -> int:
        """The stated number of records of a file."""

    def files_of(self, class_ids: Iterable[int]) -> list[int]:
        """The sorted numbers of the files with records of these classes."""


class ClassFiles(NamedTuple):
    """One file for each class, whose number is the class id."""

    folder: Path
    images_per_class: tuple[int, ...]
    remedy: str = "convert the source again, or put the spec that belongs to these files beside them"
    statement: str = SPEC_FILE

    def locate(self, record: RecordId) -> Place:
        return record

    def file(self, number: int) -> Path:
        return self.folder / FILE_PATTERN.format(number)

    def num_records(self, number: int) -> int:
        return self.images_per_class[number]

    def files_of(self, class_ids: Iterable[int]) -> list[int]:
        return sorted(class_ids)


@dataclass(frozen=True)
class Shards:
    """Shards with `lengths` records, in whose concatenation the records of class c are the slice `slices[c]`.

    A class may span several shards, and a shard hold several classes.
    """

    folder: Path
    lengths: tuple[int, ...]
    slices: tuple[tuple[int, int], ...]  # start and stop
    remedy: str = BUILD_AGAIN
    statement: str = INFO_FILE
    ends: tuple[int, ...] = field(init=False)  # of the shards in the concatenation

    def __post_init__(self) -> None:
        object.__setattr__(self, "ends", tuple(accumulate(self.lengths)))

    def locate(self, record: RecordId) -> Place:
        class_id, number = record
        position = self.slices[class_id][0] + number
        shard = bisect_right(self.ends, position)
        return shard, position - (self.ends[shard - 1] if shard else 0)

    def file(self, number: int) -> Path:
        return self.folder / SHARD_PATTERN.format(number, len(self.lengths))

    def num_records(self, number: int) -> int:
        return self.lengths[number]

    def files_of(self, class_ids: Iterable[int]) -> list[int]:
        slices = [self.slices[class_id] for class_id in class_ids]
        places = [(bisect_right(self.ends, s), bisect_right(self.ends, e - 1)) for s, e in slices if s < e]
        shards = {shard for first, last in places for shard in range(first, last + 1)}
        return sorted(shard for shard in shards if self.lengths[shard])
