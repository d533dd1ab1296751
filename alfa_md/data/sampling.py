"""Meta-Dataset episode sampling: the classes of an episode, and the shots and queries of each.

The rules, the bounds and the order of random numbers are those of the original Meta-Dataset sampler: the same
`RandomState` gives the same episodes. Reference: Triantafillou et al., "Meta-Dataset", ICLR 2020 (arXiv:1903.03096).
"""

import math
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any, NamedTuple, NoReturn

import gin
import numpy as np

from alfa_md.data.class_selection import (
    BiLevelClasses,
    ClassSelection,
    DagClasses,
    SometimesUniform,
    UniformClasses,
    Ways,
    image_counts,
)
from alfa_md.data.spec import BiLevelSpec, DatasetSpec, HierarchicalSpec
from alfa_md.errors import MissingSplit, UserError
from alfa_md.values import Count, CountOrZero, LogWeight, Share


@gin.configurable
@dataclass(frozen=True)
class Sampling:
    """Configuration of ways and shots; the default is the variable-way, variable-shot protocol of Meta-Dataset.

    A number fixes a quantity; `num_support` may also be a range (lowest, highest), drawn once per episode. None draws
    the quantity within the bounds below, which count images or classes. Raises UserError for an invalid value.
    """

    num_ways: Count | None = None
    num_support: Count | tuple[Count, Count] | None = None
    num_query: Count | None = None
    min_ways: Count = 5
    max_ways_upper_bound: Count = 50
    max_num_query: Count = 10
    max_support_set_size: Count = 500
    max_support_size_contrib_per_class: Count = 100
    min_log_weight: LogWeight = math.log(0.5)
    max_log_weight: LogWeight = math.log(2)
    min_examples_in_class: CountOrZero = 0
    ignore_dag_ontology: bool = False
    ignore_bilevel_ontology: bool = False
    ignore_hierarchy_probability: Share = 0.0

    def __post_init__(self) -> None:
        for name, lowest in self._whole_numbers().items():
            value = getattr(self, name)
            if not _is_whole(value) or value < lowest:
                _refuse(name, value, f"a whole number of at least {lowest}")
        if self.num_support is not None and not _is_range(self.shots):
            _refuse("num_support", self.num_support, "a whole number of at least 1, or a range (lowest, highest)")
        if self.num_support is None and not _is_ordered(self.min_log_weight, self.max_log_weight):
            _refuse("min_log_weight", self.min_log_weight, "a number of at most Sampling.max_log_weight")
        if not _is_ordered(0, self.ignore_hierarchy_probability, 1):
            _refuse("ignore_hierarchy_probability", self.ignore_hierarchy_probability, "a number between 0 and 1")

    def _whole_numbers(self) -> dict[str, int]:
        """Minimum of each integer field in use; the bounds of a fixed quantity are not used."""
        lowest = {"min_examples_in_class": 0, "max_num_query" if self.num_query is None else "num_query": 1}
        if self.num_support is None:
            lowest |= {"max_support_set_size": 1, "max_support_size_contrib_per_class": 1}
        if self.num_ways is None:
            return lowest | {"min_ways": 1, "max_ways_upper_bound": self.min_ways}
        return lowest | {"num_ways": 1}

    @property
    def ways(self) -> Ways:
        """Bounds of the way, both inclusive."""
        if self.num_ways is not None:
            return Ways(self.num_ways, self.num_ways)
        return Ways(self.min_ways, self.max_ways_upper_bound)

    @property
    def shots(self) -> tuple[int, int]:
        """Bounds, both inclusive, of a shot shared by all classes; equal if the shot is fixed."""
        return tuple(self.num_support) if isinstance(self.num_support, tuple | list) else (self.num_support,) * 2

    @property
    def images_needed(self) -> int:
        """Minimum number of images of a class: disjoint support and query images."""
        return (1 if self.num_support is None else self.shots[1]) + (self.num_query or 1)


class ClassDraw(NamedTuple):
    """One class of an episode: its id relative to the start of the split, its shots and its queries."""

    class_id: int
    shots: int
    queries: int


class EpisodeSampler:
    """Draws the classes, shots and queries of episodes of one split.

    Raises MissingSplit at construction if the split has no class, and UserError naming the class or superclass if some
    episode could not be drawn; sampling itself never fails.
    """

    def __init__(self, spec: DatasetSpec, split: str, sampling: Sampling) -> None:
        if not spec.classes(split):
            others = ", ".join(name for name, count in spec.classes_per_split.items() if count) or "none has any"
            raise MissingSplit(f"{spec.name} has no {split} classes; choose a split that has some ({others})")
        self.sampling = sampling
        self.images = image_counts(spec, split)
        self.selection = select_classes(spec, split, sampling)
        self._check_images(spec, split)
        if sampling.num_support is None and self.selection.largest_way > sampling.max_support_set_size:
            largest = f"at least {self.selection.largest_way}, the largest way of {spec.name} {split}"
            _refuse("max_support_set_size", sampling.max_support_set_size, largest)

    def _check_images(self, spec: DatasetSpec, split: str) -> None:
        class_ids, needed = self.selection.class_ids, self.sampling.images_needed
        smallest = class_ids[np.argmin(self.images[class_ids])]
        if self.images[smallest] < needed:
            class_id = spec.classes(split)[smallest]
            raise UserError(
                f"{spec.name} {split}: class {class_id} ({spec.class_names[class_id]}) has {self.images[smallest]} "
                f"images, but support and query need {needed}; lower Sampling.num_support or Sampling.num_query, "
                f"or leave such classes out by Sampling.min_examples_in_class = {needed}"
            )

    def sample(self, rng: np.random.RandomState) -> list[ClassDraw]:
        """The classes of one episode, in the order of their labels."""
        class_ids = self.selection.draw(rng)
        images = self.images[class_ids]
        queries = self._num_queries(images)
        shots = self._num_shots(rng, images, queries)
        return [ClassDraw(int(c), int(k), queries) for c, k in zip(class_ids, shots, strict=True)]

    def _num_queries(self, images: np.ndarray) -> int:
        """Queries per class: the images that the smallest class has left, at most half of them if the shot varies."""
        sampling = self.sampling
        if sampling.num_query is not None:
            return sampling.num_query
        spare = images // 2 if sampling.num_support is None else images - sampling.shots[1]
        return min(sampling.max_num_query, int(spare.min()))

    def _num_shots(self, rng: np.random.RandomState, images: np.ndarray, queries: int) -> np.ndarray:
        """Shots [way]: equal, or roughly proportional to the class sizes with noise by a factor of 1/2 to 2."""
        sampling = self.sampling
        if sampling.num_support is not None:
            lowest, highest = sampling.shots
            return np.full(len(images), rng.randint(lowest, highest + 1))  # a fixed shot consumes no random number
        remaining = images - queries
        beta = rng.uniform()
        contributions = np.floor(beta * np.minimum(sampling.max_support_size_contrib_per_class, remaining) + 1)
        support_size = min(contributions.sum(), sampling.max_support_set_size)
        weights = images * np.exp(rng.uniform(sampling.min_log_weight, sampling.max_log_weight, size=len(images)))
        shares = np.floor(weights / weights.sum() * (support_size - len(images))).astype(np.int64)
        return np.minimum(shares + 1, remaining)


def select_classes(spec: DatasetSpec, split: str, sampling: Sampling) -> ClassSelection:
    """The class selection for the kind of specification, uniform if `sampling` ignores the hierarchy."""
    ways, least = sampling.ways, sampling.min_examples_in_class
    if isinstance(spec, BiLevelSpec) and not sampling.ignore_bilevel_ontology:
        _refuse_fixed(spec, sampling, ("num_ways", "min_examples_in_class"), "ignore_bilevel_ontology")
        hierarchy = BiLevelClasses.of(spec, split, ways)
    elif isinstance(spec, HierarchicalSpec) and not sampling.ignore_dag_ontology:
        _refuse_fixed(spec, sampling, ("num_ways",), "ignore_dag_ontology")
        hierarchy = DagClasses.of(spec, split, ways, least)
    else:
        return UniformClasses.of(spec, split, ways, least)
    uniform = UniformClasses.of(spec, split, ways, least)
    return SometimesUniform(hierarchy, uniform, sampling.ignore_hierarchy_probability)


def stable_rng(*name: object) -> np.random.RandomState:
    """A random generator seeded by a hash of `name`: the same in every process and on every platform."""
    digest = sha256("/".join(map(str, name)).encode()).digest()
    return np.random.RandomState(np.frombuffer(digest, dtype="<u4").astype(np.uint32))


def draw_records(rng: np.random.RandomState, num_images: int, count: int) -> np.ndarray:
    """Distinct record numbers [count] below `num_images`, uniform and in uniform order, in O(count).

    A Fisher-Yates shuffle of all record numbers, stopped after `count` swaps, that stores swapped entries only.
    """
    if not 0 <= count <= num_images:
        raise ValueError(f"cannot draw {count} distinct records of {num_images}")
    targets = rng.randint(np.arange(count, dtype=np.int64), num_images, dtype=np.int64)
    records = np.empty(count, dtype=np.int64)
    moved: dict[int, int] = {}
    for position, target in enumerate(targets.tolist()):
        records[position] = moved.get(target, target)
        moved[target] = moved.get(position, position)
    return records


def _refuse(name: str, value: Any, demand: str) -> NoReturn:
    raise UserError(f"Sampling.{name} = {value!r} must be {demand}")


def _refuse_fixed(spec: DatasetSpec, sampling: Sampling, names: tuple[str, ...], remedy: str) -> None:
    for name in names:
        if getattr(sampling, name):
            raise UserError(
                f"Sampling.{name} = {getattr(sampling, name)} cannot be kept within the class hierarchy of "
                f"{spec.name}; unset it or set Sampling.{remedy} = True"
            )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_range(shots: tuple[Any, ...]) -> bool:
    return len(shots) == 2 and all(map(_is_whole, shots)) and 1 <= shots[0] <= shots[1]


def _is_ordered(*values: Any) -> bool:
    return all(isinstance(value, int | float) for value in values) and all(a <= b for a, b in pairwise(values))
