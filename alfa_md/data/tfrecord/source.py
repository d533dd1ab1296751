"""Episode source over the record files of one Meta-Dataset source."""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from alfa_md.data.build_episode import build_grouped_episode
from alfa_md.data.file_digests import Files, digest_records
from alfa_md.data.fingerprint import episode_fingerprint
from alfa_md.data.sampling import EpisodeSampler, Sampling, draw_records, stable_rng
from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.record_images import RecordImages
from alfa_md.episode import Episode, EpisodeSource


class ClassRecords(NamedTuple):
    """Records drawn from one class for an episode."""

    class_id: int  # in the whole data set, as in the file name
    support: np.ndarray  # record numbers
    query: np.ndarray


class RecordSource(EpisodeSource):
    """Episodes of one split by random access: only the chosen records are read.

    Each class contributes k + q distinct records, uniform and in random order, the first k of them support: the two
    sets are disjoint and independent of file order. The official reader instead shuffles within a window of 1000
    records and carries a cursor from episode to episode; here episode k depends on (seed, name, split, k) alone.

    `images` reads and decodes. `sampling` is checked against `spec` at construction, a class file on first access.
    Thread-safe.
    """

    def __init__(
        self,
        spec: DatasetSpec,
        split: str,
        sampling: Sampling,
        images: RecordImages,
        seed: int,
    ):
        self.name = spec.name
        self.split = split
        self._spec = spec
        self._sampler = EpisodeSampler(spec, split, sampling)
        self._images = images
        self._seed = seed

    def draw(self, index: int) -> list[ClassRecords]:
        """The classes and records of episode `index`, in the order of its labels, without reading files."""
        rng = stable_rng(self._seed, self.name, self.split, index)
        first = self._spec.classes(self.split).start
        chosen = []
        for draw in self._sampler.sample(rng):
            class_id = first + draw.class_id
            num_images = self._spec.images_per_class[class_id]
            records = draw_records(rng, num_images, draw.shots + draw.queries)
            chosen.append(ClassRecords(class_id, records[: draw.shots], records[draw.shots :]))
        return chosen

    def fingerprint(self, index: int) -> str:
        return episode_fingerprint(self.name, self.split, self.draw(index))

    def episode(self, index: int) -> Episode:
        """Episode `index`: images [N, 3, S, S], grouped by class. Raises UserError naming an invalid record."""
        chosen = self.draw(index)
        shots, queries = [len(c.support) for c in chosen], [len(c.query) for c in chosen]
        places = [(c.class_id, n) for c in chosen for n in c.support] + [
            (c.class_id, n) for c in chosen for n in c.query
        ]
        return build_grouped_episode(self, self._seed, index, self._images.images(places), shots, queries)

    def stamp(self) -> dict:
        """Stamp of everything else that episodes depend on: specification, decoder, image size and cache."""
        return self._images.stamp()

    @cached_property
    def files(self) -> Files:
        return {f"{self.name} {self.split}": digest_records(self._spec, self.split)}
