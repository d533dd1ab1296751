"""Episode source that replays dumped episodes."""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import gin
import torch
from torch import Tensor

from alfa_md.data.build_episode import build_episode
from alfa_md.data.file_digests import Files, digest_files
from alfa_md.data.tfrecord.decoder import UndecodableImage
from alfa_md.data.tfrecord.dump_format import (
    COUNTS_FILE,
    EPISODE_FILE,
    REMEDY,
    SETS,
    DumpedExample,
    episode_file,
    read_counts,
    read_examples,
    read_file_sizes,
    read_fingerprints,
)
from alfa_md.data.tfrecord.image_cache import ImageCache
from alfa_md.data.tfrecord.record_images import Decode
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.errors import UserError
from alfa_md.system.user_path import user_path


@gin.configurable
def dumped(
    root: Path,
    name: str,
    split: str,
    sampling: Any,
    seed: int,
    decoder: Decode = gin.REQUIRED,
    cache: ImageCache | None = None,
    folder: str | None = None,
) -> "DumpedSource":
    """The episodes in FOLDER/SPLIT/NAME, by default below the root; `sampling` is unused.

    Raises MissingSource if there is no such directory, UserError if its content is not in the format.
    """
    directory = user_path(folder or root) / split / name
    return DumpedSource(directory, name, split, decoder, cache, seed)


class DumpedSource(EpisodeSource):
    """Replays the episodes of a directory in the order of the numbers in file names (see `dump_format`).

    Args:
      directory: the files of one source and split.
      name, split: source and split of the episodes.
      decoder: decodes the encoded images.
      cache: images are rounded as this cache would, so that they equal those read from records; nothing is cached.
      seed: seed of the episodes if the files do not have it.

    Raises MissingSource if there is no such directory, UserError if a file is missing or the counts are inconsistent.
    Thread-safe.
    """

    def __init__(
        self, directory: Path, name: str, split: str, decoder: Decode, cache: ImageCache | None = None, seed: int = 0
    ):
        self.name, self.split, self.directory = name, split, directory
        self._decoder, self._dtype = decoder, cache.dtype if cache else None
        self._counts, self._file_sizes = read_counts(directory), read_file_sizes(directory)
        self._numbers = sorted({int(EPISODE_FILE.fullmatch(file)[1]) for file in self._file_sizes})
        if not self._numbers:
            raise UserError(f"{directory}: holds no episode; {REMEDY}")
        for number in self._numbers:
            self._check(number)
        self._seed, self._fingerprints = read_fingerprints(directory, len(self)) or (seed, [None] * len(self))

    def __len__(self) -> int:
        return len(self._numbers)

    def fingerprint(self, index: int) -> str | None:
        """Fingerprint of episode `index` (see `alfa_md.data.fingerprint`); None if the files do not have it."""
        return self._fingerprints[index] if index < len(self) else None

    def episode(self, index: int) -> Episode:
        """Episode `index`: images [N, 3, S, S], grouped by class. Raises UserError naming an invalid record."""
        if index >= len(self):
            raise UserError(f"{self.directory}: there are {len(self)} episodes; ask for no more (--num_episodes)")
        files = [episode_file(self._numbers[index], set_name) for set_name in SETS]
        support, query = (read_examples(self.directory / file, self._counts[file]) for file in files)
        images = self._pixels([*support, *query])
        labels, number = torch.tensor([example.label for example in (*support, *query)]), len(support)
        sets = (images[:number], labels[:number]), (images[number:], labels[number:])
        return build_episode(self, self._seed, index, support[-1].label + 1, *sets)

    def stamp(self) -> dict:
        """Stamp of everything else that episodes depend on: a hash of file sizes and counts, decoder, size, cache."""
        content = json.dumps([self._counts, self._file_sizes, self._fingerprints], sort_keys=True)
        files = hashlib.sha256(content.encode()).hexdigest()[:16]
        read = {"decoder": self._decoder.name, "image_size": self._decoder.image_size, "cache": self._dtype}
        return {"reader": "dumped", "files": files} | read

    @cached_property
    def files(self) -> Files:
        files = [self.directory / name for name in (COUNTS_FILE, *self._file_sizes)]
        # not the files that a run on records has under "source split"
        return {f"{self.name} dumped/{self.split}": digest_files({file.name: [file] for file in files})}

    def _check(self, number: int) -> None:
        """Raise UserError if the support or query file of an episode is missing, or its labels do not count from 0."""
        for set_name in SETS:
            if (file := episode_file(number, set_name)) not in self._file_sizes:
                raise UserError(f"{self.directory / file}: not found, half of episode {number} is missing; {REMEDY}")
            if file not in self._counts:
                raise UserError(f"{self.directory / COUNTS_FILE}: does not count the images of {file}; {REMEDY}")
        support, query = (self._counts[episode_file(number, set_name)] for set_name in SETS)
        if sorted(support) != list(range(len(support))) or not query or not query.keys() <= support.keys():
            raise UserError(
                f"{self.directory / COUNTS_FILE}: episode {number} has support labels {sorted(support)} and query "
                f"labels {sorted(query)}; labels count from 0, and no query is of a class without support; {REMEDY}"
            )

    def _pixels(self, examples: Sequence[DumpedExample]) -> Tensor:
        """Decoded images [N, 3, S, S], float32 in [-1, 1] or uint8, as the cache would return them."""
        encoded = [example.image for example in examples]
        try:
            if self._dtype == "uint8":
                return self._decoder.decode_unnormalised(encoded).round().to(torch.uint8)
            return self._decoder(encoded)
        except UndecodableImage as error:
            raise UserError(f"{examples[error.position].where} {error.complaint}") from error
