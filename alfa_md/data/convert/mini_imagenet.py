"""Converter of miniImageNet: 64 / 16 / 20 classes of 600 images, 84 pixels wide.

Reads the pickles `mini-imagenet-cache-train.pkl`, `-val.pkl` and `-test.pkl`; classes are sorted by name within each.
References: Ren et al., "Meta-learning for semi-supervised few-shot classification", ICLR 2018; Triantafillou et al.,
"Meta-Dataset", ICLR 2020.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.convert_common.jpeg import encode_jpeg, read_each
from alfa_md.data.convert_common.plan import Copied, Plan, Unreadable
from alfa_md.data.images.archived_images import ArchivedImages
from alfa_md.data.images.mini_imagenet_cache import open_split
from alfa_md.data.spec import SPLITS, DatasetSpec


class PickledImages(NamedTuple):
    """The images of a class id, in the order of the pickle."""

    source_dir: Path
    spec: DatasetSpec

    def __call__(self, class_id: int) -> Iterator[bytes | Copied | Unreadable]:
        split = next(split for split in SPLITS if class_id in self.spec.classes(split))
        images, own = cached_split(self.source_dir, split), class_id - self.spec.classes(split).start
        return read_each(
            lambda n: encode_jpeg(images.image(own, n).convert("RGB")), range(images.images_per_class[own])
        )


@lru_cache(maxsize=1)  # a pickle is most of a gigabyte
def cached_split(source_dir: Path, split: str) -> ArchivedImages:
    return open_split(source_dir, split)


def plan(source_dir: Path) -> Plan:
    """The plan of the 100 classes. Raises UserError for a missing or damaged pickle."""
    names: list[str] = []
    counts: list[int] = []
    sizes: dict[str, int] = {}
    for split in SPLITS:
        images = cached_split(source_dir, split)
        names += images.class_names
        counts += images.images_per_class
        sizes[split] = len(images.class_names)
    spec = DatasetSpec("mini_imagenet", tuple(names), tuple(counts), sizes)
    return Plan(spec, PickledImages(source_dir, spec))
