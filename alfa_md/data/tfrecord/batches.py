"""Batch source for pretraining: labelled images of all training classes of the sources, without episodes."""

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from threading import Lock

import gin
import numpy as np
import torch

from alfa_md.data.build_episode import build_episode
from alfa_md.data.file_digests import Files, digest_records
from alfa_md.data.mixture import Mixture
from alfa_md.data.sampling import stable_rng
from alfa_md.data.spec import DatasetSpec, load_spec
from alfa_md.data.tfrecord.image_cache import ImageCache, open_record_images
from alfa_md.data.tfrecord.record_images import Decode, RecordImages
from alfa_md.episode import Episode, EpisodeSource
from alfa_md.errors import UserError
from alfa_md.values import Items


class BatchSource(EpisodeSource):
    """Batches of the training images of one source, as episodes with an empty support set.

    Every epoch is a permutation of all images in batches of `batch_size`, the last one smaller; batch k depends on
    (seed, name, k) alone. Meta-Dataset instead draws the class of every image in proportion to its size, reads each
    class in file order, and shuffles within a window of 1000 images.

    An image of class c has the label c + `offset`; `num_classes` counts the classes of all sources together. The
    permutation of the current epoch is cached: 4 bytes per image, 140 MB and some seconds per epoch for the 35 million
    of quickdraw, 4 MB for ilsvrc_2012. Thread-safe.
    """

    split = "train"

    def __init__(
        self, spec: DatasetSpec, images: RecordImages, seed: int, batch_size: int, offset: int, num_classes: int
    ) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise UserError(f"batches.batch_size = {batch_size!r} must be a whole number of at least 1")
        self.name = spec.name
        self.batch_size, self.offset, self.num_classes = batch_size, offset, num_classes
        self._seed = seed
        self._spec, self._images = spec, images
        sizes = spec.images_per_class[: len(spec.classes(self.split))]  # training classes come first
        self._ends = np.cumsum(sizes, dtype=np.int64)  # image i belongs to the first class whose end is above i
        if not sum(sizes):
            raise UserError(f"{spec.name} has no images of training classes; leave it out of Experiment.train_sources")
        self._lock = Lock()
        self._epoch, self._order = -1, np.empty(0, dtype=np.int32)

    @property
    def num_images(self) -> int:
        """Images per epoch."""
        return int(self._ends[-1])

    @property
    def batches_per_epoch(self) -> int:
        """Batches per epoch, including the last, smaller one."""
        return -(-self.num_images // self.batch_size)

    def draw(self, index: int) -> list[tuple[int, int]]:
        """(class id, record number) of every image of batch `index`, without reading files."""
        epoch, batch = divmod(index, self.batches_per_epoch)
        images = self._permutation(epoch)[batch * self.batch_size :][: self.batch_size].astype(np.int64)
        class_ids = np.searchsorted(self._ends, images, side="right")
        starts = np.concatenate([[0], self._ends])[class_ids]
        return list(zip(class_ids.tolist(), (images - starts).tolist(), strict=True))

    def episode(self, index: int) -> Episode:
        """Batch `index`: query images [B, 3, S, S] and no support images. Raises UserError naming an invalid record."""
        chosen = self.draw(index)
        images = self._images.images(chosen)
        labels = torch.tensor([class_id + self.offset for class_id, _ in chosen])
        support, query = (images[:0], labels[:0]), (images, labels)
        return build_episode(self, self._seed, index, self.num_classes, support, query)

    def stamp(self) -> dict:
        """Stamp of everything else that batches depend on: specification, decoder, image size, cache, batch size."""
        return self._images.stamp() | {"batch_size": self.batch_size}

    @cached_property
    def files(self) -> Files:
        return {f"{self.name} {self.split}": digest_records(self._spec, self.split)}

    def _permutation(self, epoch: int) -> np.ndarray:
        """The permutation of an epoch [images]; computed by one thread while the others wait."""
        with self._lock:
            if epoch != self._epoch:
                order = np.arange(self.num_images, dtype=np.int32)
                stable_rng(self._seed, self.name, "batches", epoch).shuffle(order)
                self._epoch, self._order = epoch, order
            return self._order


@gin.configurable
def batches(
    root: Path,
    names: Sequence[str],
    seed: int,
    decoder: Decode = gin.REQUIRED,
    batch_size: Items = 256,
    cache: ImageCache | None = None,
) -> EpisodeSource:
    """Batches of the training images of the sources `names` under `root`; each is of one source, drawn uniformly.

    Labels are offset by the training classes of the preceding sources. Batch k is batch k of the source drawn for it.
    Raises UserError for a source without training classes or specification, and for a batch size below 1.
    """
    specs = [load_spec(root / name) for name in names]
    *offsets, num_classes = accumulate((len(spec.classes("train")) for spec in specs), initial=0)
    sources = [
        BatchSource(spec, open_record_images(spec, decoder, cache), seed, batch_size, offset, num_classes)
        for spec, offset in zip(specs, offsets, strict=True)
    ]
    return sources[0] if len(sources) == 1 else Mixture(sources, seed)
