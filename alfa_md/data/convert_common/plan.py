"""Conversion plan: the specification and encoded images that a converter will write."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from alfa_md.data.spec import DatasetSpec


class Skipped(NamedTuple):
    """An image that is left out of the records, and the reason."""

    where: str
    reason: str


Images = Callable[[int], Iterable[bytes | Skipped]]


def no_extra_files(spec: DatasetSpec) -> Mapping[str, bytes]:
    return {}


class Plan(NamedTuple):
    """The plan of a conversion whose original files are complete.

    Attributes:
      spec: the expected specification. The written one has fewer images if some are skipped.
      images: the encoded images of a class id in record order, each as bytes or Skipped. Called in worker processes:
        must be picklable and small.
      extra_files: further files for the output directory, name -> content, given the written specification.
      notes: lines of the report about originals that are left out.
    """

    spec: DatasetSpec
    images: Images
    extra_files: Callable[[DatasetSpec], Mapping[str, bytes]] = no_extra_files
    notes: tuple[str, ...] = ()

    def limited(self, images_per_class: int) -> "Plan":
        """The plan limited to the first `images_per_class` images of every class."""
        counts = tuple(min(images_per_class, count) for count in self.spec.images_per_class)
        return self._replace(spec=replace(self.spec, images_per_class=counts))
