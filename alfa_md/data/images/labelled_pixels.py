"""Reader of pickles with `data` [N, height, width, 3] uint8 and `labels` [N], one file per split.

This is the format of FC100 and CIFAR-FS as published by Lee et al., "Meta-learning with differentiable convex
optimization", CVPR 2019.
"""

from collections.abc import Mapping
from pathlib import Path

from alfa_md.data.images.archived_images import ArchivedImages, members_by_label
from alfa_md.data.images.builds import Counts, recognise_build
from alfa_md.data.images.pickled_fields import open_pickled_fields


def open_labelled_pixels(path: Path, split: str, known: Mapping[str, Counts]) -> ArchivedImages:
    """The images of one file, with class numbers as names. Raises UserError for a damaged file."""
    archive = open_pickled_fields(path)
    pixels = archive.pixels("data")
    members = members_by_label(archive.labels("labels", len(pixels)), "{:03d}".format)
    build = recognise_build(known, split, [len(indices) for indices in members.values()])
    return ArchivedImages(path, pixels, members, {"layout": "labelled pixels", "build": build})
