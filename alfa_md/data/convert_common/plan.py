"""What a converter is going to write, before anything is written."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from alfa_md.data.spec import DatasetSpec


class Skipped(NamedTuple):
    """An image that is left out of the records, and why."""

    where: str
    reason: str


Images = Callable[[int], Iterable[bytes | Skipped]]


def no_extra_files(spec: DatasetSpec) -> Mapping[str, bytes]:
    return {}


class Plan(NamedTuple):
    """A conversion whose original files have been found complete.

    Attributes:
      spec: how many images the original files should give, class by class. What is written says how many they gave.
      images: the encoded images of a class id in record order, each as bytes or Skipped. Called in other processes: it
        must be picklable, and small enough to be handed to each of them once.
      beside: further files for the directory of records, name -> content, given the specification as written.
    """

    spec: DatasetSpec
    images: Images
    extra_files: Callable[[DatasetSpec], Mapping[str, bytes]] = no_extra_files

    def limited(self, images_per_class: int) -> "Plan":
        """The plan of the first images of every class."""
        counts = tuple(min(images_per_class, count) for count in self.spec.images_per_class)
        return self._replace(spec=replace(self.spec, images_per_class=counts))
