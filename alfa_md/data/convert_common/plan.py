"""Conversion plan: the specification and encoded images that a converter will write."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.spec import DatasetSpec

UNREADABLE = "unreadable"  # kind of image that the user wishes to leave out


class Skipped(NamedTuple):
    """An image that is left out of the records, and the reason; `kind` is UNREADABLE or empty."""

    where: str
    reason: str
    kind: str = ""


class Unreadable(NamedTuple):
    """An original that cannot be read, and the reason; left out if the user wishes."""

    where: str
    reason: str


class Copied(NamedTuple):
    """The bytes of an original JPEG that become a record unchanged, not yet decoded."""

    file: Path
    content: bytes


Images = Callable[[int], Iterable[bytes | Copied | Unreadable | Skipped]]


def no_extra_files(spec: DatasetSpec) -> Mapping[str, bytes]:
    return {}


class Plan(NamedTuple):
    """The plan of a conversion whose original files are complete.

    Attributes:
      spec: the expected specification. The written one has fewer images if some are skipped.
      images: the images of a class id in record order, encoded, copied, unreadable or skipped. Called in worker
        processes: must be picklable and small.
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
