"""Class selection for an episode: uniform over a split, within one alphabet, or below one node of a class graph.

Class ids are relative to the start of the split. Every strategy draws its random numbers in the order of the original
Meta-Dataset sampler, so that a seed gives the same episodes in both.
Reference: Triantafillou et al., "Meta-Dataset", ICLR 2020 (arXiv:1903.03096).
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from alfa_md.data.spec import BiLevelSpec, DatasetSpec, HierarchicalSpec
from alfa_md.errors import UserError

# The smallest bound for which every training class of ImageNet is below an eligible node.
MAX_SPANNED_LEAVES = 392


class Ways(NamedTuple):
    """Bounds of the way (classes per episode), both inclusive; equal for a fixed way."""

    lowest: int
    highest: int


class ClassSelection(Protocol):
    """Draws the classes of one episode."""

    class_ids: np.ndarray  # [n] ids of all classes that can be drawn
    largest_way: int

    def draw(self, rng: np.random.RandomState) -> np.ndarray:
        """Distinct class ids [way], in the order of their episode labels."""


@dataclass(frozen=True)
class UniformClasses:
    """Draws a uniform way, then that many classes without replacement."""

    class_ids: np.ndarray
    ways: Ways

    @classmethod
    def of(cls, spec: DatasetSpec, split: str, ways: Ways, min_examples: int) -> "UniformClasses":
        """Over the classes of a split with at least `min_examples` images. Raises UserError if there are too few."""
        images = image_counts(spec, split)
        class_ids = np.flatnonzero(images >= min_examples)
        if len(class_ids) < ways.lowest:
            enough = f" with at least {min_examples} images" if min_examples else ""
            raise UserError(
                f"{spec.name} has {len(class_ids)} {split} classes{enough}, but an episode needs {ways.lowest}; "
                "lower Sampling.num_ways, Sampling.min_ways or Sampling.min_examples_in_class"
            )
        return cls(class_ids, ways)

    @property
    def largest_way(self) -> int:
        return min(self.ways.highest, len(self.class_ids))

    def draw(self, rng: np.random.RandomState) -> np.ndarray:
        way = rng.randint(self.ways.lowest, self.largest_way + 1)  # a fixed way consumes no random number
        return self.class_ids[rng.permutation(len(self.class_ids))[:way]]


@dataclass(frozen=True)
class BiLevelClasses:
    """Draws a uniform superclass, then classes of it as `UniformClasses` does."""

    superclasses: tuple[UniformClasses, ...]

    @classmethod
    def of(cls, spec: BiLevelSpec, split: str, ways: Ways) -> "BiLevelClasses":
        """Over the superclasses of a split. Raises UserError naming one that has too few classes."""
        start = spec.classes(split).start
        for superclass in spec.superclasses(split):
            if len(spec.classes_of(superclass)) < ways.lowest:
                raise UserError(
                    f"{spec.name} {split}: superclass {spec.superclass_names[superclass]} has "
                    f"{len(spec.classes_of(superclass))} classes, but an episode needs {ways.lowest}; "
                    "lower Sampling.min_ways or set Sampling.ignore_bilevel_ontology = True"
                )
        groups = [np.array(spec.classes_of(superclass)) - start for superclass in spec.superclasses(split)]
        return cls(tuple(UniformClasses(group, ways) for group in groups))

    @property
    def class_ids(self) -> np.ndarray:
        return np.concatenate([group.class_ids for group in self.superclasses])

    @property
    def largest_way(self) -> int:
        return max(group.largest_way for group in self.superclasses)

    def draw(self, rng: np.random.RandomState) -> np.ndarray:
        return self.superclasses[rng.randint(len(self.superclasses))].draw(rng)


@dataclass(frozen=True)
class DagClasses:
    """Draws a uniform eligible inner node, then all leaves below it, or `max_ways` random ones if there are more."""

    spans: tuple[np.ndarray, ...]  # class ids below each eligible node; nodes and ids sorted by WordNet id
    max_ways: int

    @classmethod
    def of(cls, spec: HierarchicalSpec, split: str, ways: Ways, min_examples: int) -> "DagClasses":
        """Over the nodes that span `ways.lowest` to MAX_SPANNED_LEAVES classes. Raises UserError if there is none."""
        images = image_counts(spec, split)
        number = {spec.class_names[class_id]: i for i, class_id in enumerate(spec.classes(split))}
        spans = []
        for wn_id, leaves in sorted(spec.spanned_leaves(split).items()):
            span = [number[leaf] for leaf in sorted(leaves) if images[number[leaf]] >= min_examples]
            if wn_id not in number and ways.lowest <= len(span) <= MAX_SPANNED_LEAVES:
                spans.append(np.array(span))
        if not spans:
            raise UserError(
                f"{spec.name}: no node of the {split} graph spans {ways.lowest} to {MAX_SPANNED_LEAVES} classes with "
                f"at least {min_examples} images; lower Sampling.min_ways or set Sampling.ignore_dag_ontology = True"
            )
        return cls(tuple(spans), ways.highest)

    @property
    def class_ids(self) -> np.ndarray:
        return np.unique(np.concatenate(self.spans))

    @property
    def largest_way(self) -> int:
        return min(self.max_ways, max(map(len, self.spans)))

    def draw(self, rng: np.random.RandomState) -> np.ndarray:
        span = self.spans[rng.randint(len(self.spans))]
        return span if len(span) <= self.max_ways else span[rng.permutation(len(span))[: self.max_ways]]


@dataclass(frozen=True)
class SometimesUniform:
    """Draws uniformly with probability `ignore_probability`, else from the hierarchy.

    The random number for the choice is consumed at probability 0 as well.
    """

    hierarchy: ClassSelection
    uniform: UniformClasses
    ignore_probability: float

    @property
    def class_ids(self) -> np.ndarray:
        return (self.uniform if self.ignore_probability else self.hierarchy).class_ids  # uniform is a superset

    @property
    def largest_way(self) -> int:
        return (self.uniform if self.ignore_probability else self.hierarchy).largest_way

    def draw(self, rng: np.random.RandomState) -> np.ndarray:
        respected = rng.random_sample() < 1 - self.ignore_probability
        return (self.hierarchy if respected else self.uniform).draw(rng)


def image_counts(spec: DatasetSpec, split: str) -> np.ndarray:
    """Images of each class of a split, [classes] int64."""
    return np.array([spec.images_per_class[class_id] for class_id in spec.classes(split)], dtype=np.int64)
