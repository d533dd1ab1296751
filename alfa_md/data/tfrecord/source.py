"""Episodes from the class files of one Meta-Dataset source."""

from typing import NamedTuple

import numpy as np
import torch

from alfa_md.data.sampling import EpisodeSampler, Sampling, draw_records, stable_rng
from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.record_images import RecordImages
from alfa_md.episode import Episode, EpisodeSource


class ClassRecords(NamedTuple):
    """What an episode takes from one class file."""

    class_id: int  # in the whole data set, the number in the file's name
    support: np.ndarray  # record numbers
    query: np.ndarray


class RecordSource(EpisodeSource):
    """Episodes of one split, read at random: only the chosen records of the chosen classes are touched.

    A class gives k + q distinct records, uniform and in random order, the first k to the support set: the two sets are
    disjoint and no file order shows. The official reader shuffles within a window of 1000 records instead and carries a
    cursor from episode to episode; here episode k depends on (seed, name, split, k) alone.

    `images` reads and decodes. `sampling` is checked against `spec` here, a class file when it is
    first read. May be called from several threads at once.
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
        """The classes and records of episode `index`, in the order of its labels; reads no file."""
        rng = stable_rng(self._seed, self.name, self.split, index)
        first = self._spec.classes(self.split).start
        chosen = []
        for draw in self._sampler.sample(rng):
            class_id = first + draw.class_id
            num_images = self._spec.images_per_class[class_id]
            records = draw_records(rng, num_images, draw.shots + draw.queries)
            chosen.append(ClassRecords(class_id, records[: draw.shots], records[draw.shots :]))
        return chosen

    def episode(self, index: int) -> Episode:
        """Episode `index`: images [N, 3, S, S], grouped by class. Raises UserError naming a bad file and record."""
        chosen = self.draw(index)
        shots, queries = [len(c.support) for c in chosen], [len(c.query) for c in chosen]
        places = [(c.class_id, n) for c in chosen for n in c.support] + [
            (c.class_id, n) for c in chosen for n in c.query
        ]
        images = self._images.images(places)
        return Episode(
            support_x=images[: sum(shots)],
            support_y=_labels(shots),
            query_x=images[sum(shots) :],
            query_y=_labels(queries),
            way=len(chosen),
            source=self.name,
            split=self.split,
            seed=self._seed,
            index=index,
        )

    def stamp(self) -> dict:
        """What the episodes depend on besides their name: the source's spec, and how images are read."""
        return self._images.stamp()


def _labels(counts: list[int]) -> torch.Tensor:
    """0 .. way - 1, each as often as its count says: [sum of counts] int64."""
    return torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
