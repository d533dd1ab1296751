"""Fixed-way, fixed-shot episode sampling for image benchmarks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import gin
import numpy as np

from alfa_md.errors import UserError
from alfa_md.values import Items, Way


@gin.configurable
@dataclass(frozen=True)
class FixedWay:
    """`way` classes with `shots` support and `queries` query images each. Raises UserError if a number is too small."""

    way: Way = 5
    shots: Items = 1
    queries: Items = 15

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = 2 if name == "way" else 1
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise UserError(f"FixedWay.{name} = {value!r} must be a whole number of at least {least}")


class ClassImages(NamedTuple):
    """Images drawn from one class of an episode; the episode label is the position in the list."""

    class_id: int
    quarter_turns: int  # 0 to 3 rotations by 90 degrees; used by data sets that augment classes by rotation
    support: np.ndarray  # image numbers [shots]
    query: np.ndarray  # [queries]


class FixedWaySampler:
    """Draws the classes and images of episodes of one split.

    The order of random numbers is that of the MAML++ and ALFA experiments: classes, their order, one rotation for
    every class (used or not), then the images class by class, all without replacement. Raises UserError at
    construction if the split has too few classes or a class too few images; sampling itself never fails.
    """

    def __init__(self, name: str, split: str, classes: Sequence[str], images: Sequence[int], sampling: FixedWay):
        self.images, self.sampling = tuple(images), sampling
        if len(classes) < sampling.way:
            remedy = f"FixedWay.way = {sampling.way}; lower it or add classes"
            raise UserError(f"{name} {split}: has {len(classes)} classes, but {remedy}")
        needed = sampling.shots + sampling.queries
        smallest = int(np.argmin(images))
        if images[smallest] < needed:
            raise UserError(
                f"{name} {split}: class {classes[smallest]} has {images[smallest]} images, but FixedWay.shots = "
                f"{sampling.shots} and FixedWay.queries = {sampling.queries} need {needed}; lower them or add images"
            )

    def sample(self, rng: np.random.RandomState) -> list[ClassImages]:
        """The classes of one episode, in the order of their labels."""
        way, shots = self.sampling.way, self.sampling.shots
        class_ids = rng.choice(len(self.images), size=way, replace=False)
        rng.shuffle(class_ids)
        turns = rng.randint(0, 4, size=way)
        chosen = []
        for class_id, quarter_turns in zip(class_ids.tolist(), turns.tolist(), strict=True):
            numbers = rng.choice(self.images[class_id], size=shots + self.sampling.queries, replace=False)
            chosen.append(ClassImages(class_id, quarter_turns, numbers[:shots], numbers[shots:]))
        return chosen
