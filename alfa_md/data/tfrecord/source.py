"""Episodes from the class files of one Meta-Dataset source."""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from alfa_md.data.sampling import EpisodeSampler, Sampling, draw_records, stable_rng
from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.decode import UndecodableImage
from alfa_md.data.tfrecord.index import class_offsets
from alfa_md.data.tfrecord.records import decode_example, read_records
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.errors import UserError


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

    `decoder` maps N encoded images to [N, 3, S, S]. `sampling` is checked against `spec` here, a class file when it is
    first read. May be called from several threads at once.
    """

    def __init__(
        self,
        spec: DatasetSpec,
        split: str,
        sampling: Sampling,
        decoder: Callable[[Sequence[bytes]], torch.Tensor],
        seed: int,
    ):
        self.name = spec.name
        self.split = split
        self._spec = spec
        self._sampler = EpisodeSampler(spec, split, sampling)
        self._decoder = decoder
        self._seed = seed
        self._offsets: dict[int, np.ndarray] = {}

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
        images = self._images(chosen)
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
        spec = json.dumps(self._spec.to_json(), sort_keys=True).encode()
        return {
            "spec": hashlib.sha256(spec).hexdigest()[:16],
            "decoder": self._decoder.name,
            "image_size": self._decoder.image_size,
        }

    def _images(self, chosen: list[ClassRecords]) -> torch.Tensor:
        """The support images of all classes, then their query images, decoded in one call."""
        support, query = [], []
        for class_id, for_support, for_query in chosen:
            images = self._read(class_id, np.concatenate([for_support, for_query]))
            support += images[: len(for_support)]
            query += images[len(for_support) :]
        try:
            return self._decoder(support + query)
        except UndecodableImage as error:
            places = [(c.class_id, n) for c in chosen for n in c.support]
            places += [(c.class_id, n) for c in chosen for n in c.query]
            class_id, number = places[error.position]
            where = f"{self._spec.class_file(class_id)}: the image of record {number}"
            raise UserError(f"{where} {error.COMPLAINT}") from error

    def _read(self, class_id: int, numbers: np.ndarray) -> list[bytes]:
        path = self._spec.class_file(class_id)
        payloads = read_records(path, self._class_offsets(class_id), numbers)
        return [decode_example(data, f"{path}: record {n}")[0] for n, data in zip(numbers, payloads, strict=True)]

    def _class_offsets(self, class_id: int) -> np.ndarray:
        if class_id not in self._offsets:
            path, stated = self._spec.class_file(class_id), self._spec.images_per_class[class_id]
            offsets = class_offsets(path)
            if len(offsets) - 1 != stated:
                raise UserError(
                    f"{path}: holds {len(offsets) - 1} records, but dataset_spec.json states {stated}; "
                    "convert the source again, or put the spec that belongs to these files beside them"
                )
            self._offsets[class_id] = offsets
        return self._offsets[class_id]


def _labels(counts: list[int]) -> torch.Tensor:
    """0 .. way - 1, each as often as its count says: [sum of counts] int64."""
    return torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
