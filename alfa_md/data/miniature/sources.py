"""The ten miniature sources: specification and image generators of every class."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol

import numpy as np

from alfa_md.data.miniature import catalogue, imagenet
from alfa_md.data.miniature.backdrops import cluttered, foliage, plain, room, sky, soil, studio
from alfa_md.data.miniature.photo import Backdrop, Drawable, Photo, View
from alfa_md.data.miniature.signs import FRAMES_PER_TRACK, Track
from alfa_md.data.miniature.strokes import write_alphabet
from alfa_md.data.sampling import stable_rng
from alfa_md.data.spec import SPLITS, BiLevelSpec, DatasetSpec, HierarchicalSpec

# Alphabets of the bi-level source by split: name -> (characters, the bends of its strokes).
ALPHABETS = {
    "train": {
        "Arcadian": (8, (0.0, 0.4)),
        "Bolognan": (7, (-0.5, 0.5)),
        "Cyrenian": (9, (0.0,)),
        "Dalmatic": (6, (0.0, -0.3, 0.5)),
        "Elamish": (8, (0.3, -0.3)),
    },
    "valid": {"Faroan": (6, (0.0, 0.5)), "Galatic": (5, (-0.4, 0.2))},
    "test": {"Hadramic": (8, (0.0, 0.45)), "Illyric": (6, (0.5, -0.4)), "Jutic": (7, (0.0, -0.35))},
}
TRACKS = 8
# Strokes on paper vary little in colour, so their positions vary a lot.
HANDWRITING = View(shift=0.26, turn=24.0, zoom=(0.5, 0.82), squeeze=0.2, noise=3.0, contrast=(0.65, 0.75))


class ImageGenerator(Protocol):
    """Generates the images of one class."""

    def images(self, rng: np.random.RandomState, count: int) -> Iterator[np.ndarray]:
        """Yields `count` images [S, S, 3] uint8 in the order in which they are stored."""


@dataclass(frozen=True)
class MiniatureSource:
    """A miniature source: its specification, and the image generator of each class in class id order."""

    spec: DatasetSpec
    generators: tuple[ImageGenerator, ...]


def flat_source(
    name: str, classes: Mapping[str, ImageGenerator], split_sizes: tuple[int, int, int], count: int
) -> MiniatureSource:
    """A flat source with `count` images per class."""
    sizes = dict(zip(SPLITS, split_sizes, strict=True))
    return MiniatureSource(DatasetSpec(name, tuple(classes), (count,) * len(classes), sizes), tuple(classes.values()))


def photos(subjects: Mapping[str, Drawable], view: View, backdrop: Backdrop, size: int) -> dict[str, Photo]:
    """An image generator for every subject, all with the same view and backdrop."""
    return {name: Photo(subject, view, backdrop, size) for name, subject in subjects.items()}


def ilsvrc_2012() -> MiniatureSource:
    """The hierarchical source: subjects of all kinds, so that learning transfers to the other sources."""
    view = View(shift=0.15, turn=12.0, zoom=(0.65, 0.9), light=0.8, noise=8.0)
    graphs = {split: imagenet.split_graph(split) for split in SPLITS}
    names = [node.wn_id for split in SPLITS for node in graphs[split] if not node.children_ids]
    sizes = {split: len(imagenet.leaf_subjects(split)) for split in SPLITS}
    generators = [
        Photo(leaf, view, cluttered, 60) for split in SPLITS for leaf in imagenet.leaf_subjects(split).values()
    ]
    counts = (40,) * len(names)
    return MiniatureSource(
        HierarchicalSpec("ilsvrc_2012", tuple(names), counts, sizes, graphs=graphs), tuple(generators)
    )


def omniglot() -> MiniatureSource:
    """The bi-level source: light characters on dark, twenty of each, grouped in alphabets."""
    view = replace(HANDWRITING, light=1.0, chroma=0.0, exposure=0.1)
    alphabets = [(name, *plan) for split in SPLITS for name, plan in ALPHABETS[split].items()]
    names, generators = [], []
    for alphabet, characters, bulges in alphabets:
        glyphs = write_alphabet(stable_rng("miniature", "alphabet", alphabet), characters, bulges)
        names += [f"{alphabet}-character{number + 1:02d}" for number in range(characters)]
        generators += [Photo(glyph, view, plain, 48) for glyph in glyphs]
    spec = BiLevelSpec(
        "omniglot",
        tuple(names),
        (20,) * len(names),
        {split: sum(size for size, _ in ALPHABETS[split].values()) for split in SPLITS},
        superclass_names=tuple(name for name, _, _ in alphabets),
        classes_per_superclass=tuple(characters for _, characters, _ in alphabets),
        superclasses_per_split={split: len(ALPHABETS[split]) for split in SPLITS},
    )
    return MiniatureSource(spec, tuple(generators))


def aircraft() -> MiniatureSource:
    """Aircraft planforms on sky."""
    view = View(shift=0.12, turn=14.0, zoom=(0.7, 0.9), light=0.75, chroma=0.5)
    return flat_source("aircraft", photos(catalogue.AIRCRAFT, view, sky, 56), (9, 6, 6), 40)


def cu_birds() -> MiniatureSource:
    """Birds in profile on foliage."""
    view = View(shift=0.12, turn=8.0, zoom=(0.65, 0.85), light=0.85, mirrored=0.2)
    return flat_source("cu_birds", photos(catalogue.BIRDS, view, foliage, 60), (9, 6, 6), 40)


def dtd() -> MiniatureSource:
    """Textures that fill the image."""
    view = View(shift=0.03, turn=5.0, zoom=(0.9, 1.1), squeeze=0.05, light=0.95, exposure=0.15)
    return flat_source("dtd", photos(catalogue.TEXTURES, view, studio, 56), (11, 6, 7), 40)


def quickdraw() -> MiniatureSource:
    """Thin drawings on light paper."""
    view = replace(HANDWRITING, light=0.0, chroma=0.1, exposure=0.05)
    return flat_source("quickdraw", photos(catalogue.DOODLES, view, plain, 48), (12, 6, 8), 50)


def fungi() -> MiniatureSource:
    """Fungi on forest floor."""
    view = View(shift=0.12, turn=10.0, zoom=(0.65, 0.85), light=0.85)
    return flat_source("fungi", photos(catalogue.FUNGI, view, soil, 60), (9, 6, 8), 36)


def vgg_flower() -> MiniatureSource:
    """Flowers from above on foliage."""
    view = View(shift=0.12, turn=10.0, zoom=(0.7, 0.9), light=0.95)
    return flat_source("vgg_flower", photos(catalogue.FLOWERS, view, foliage, 60), (10, 6, 7), 40)


def traffic_sign() -> MiniatureSource:
    """Videos of signs in file order, test split only: without shuffling, support and query are near-duplicates."""
    view = View(shift=0.35, turn=8.0, zoom=(0.95, 1.05), chroma=0.3, exposure=0.25, noise=5.0)
    classes = {name: Track(sign, view) for name, sign in catalogue.SIGNS.items()}
    return flat_source("traffic_sign", classes, (0, 0, len(classes)), TRACKS * FRAMES_PER_TRACK)


def mscoco() -> MiniatureSource:
    """Objects among other objects; no training classes."""
    view = View(shift=0.15, turn=8.0, zoom=(0.65, 0.85), light=0.85, mirrored=0.25)
    return flat_source("mscoco", photos(catalogue.THINGS, view, room, 64), (0, 7, 9), 40)


@cache
def miniature_sources() -> dict[str, MiniatureSource]:
    """The ten sources by name, in the order of Meta-Dataset's tables."""
    factories = (ilsvrc_2012, omniglot, aircraft, cu_birds, dtd, quickdraw, fungi, vgg_flower, traffic_sign, mscoco)
    return {factory.__name__: factory() for factory in factories}
