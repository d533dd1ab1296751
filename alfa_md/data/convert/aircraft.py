"""FGVC-Aircraft as a source of Meta-Dataset: 100 variants, cropped to their boxes, divided at random into 70 / 15 / 15.

Reads the folder `data` of `fgvc-aircraft-2013b.tar.gz`: `variants.txt`, the boxes in `images_box.txt`, the variants of
the images in `images_variant_trainval.txt` and `images_variant_test.txt`, and `images/<image>.jpg`.
References: Maji et al., "Fine-grained visual classification of aircraft", 2013; splits of Triantafillou et al.,
"Meta-Dataset", ICLR 2020.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from alfa_md.data.convert_common.jpeg import changed
from alfa_md.data.convert_common.originals import refuse, require
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.convert_common.random_split import flat_spec, split_of
from alfa_md.errors import UserError

SIZES = (70, 15, 15)
LISTS = ("images_variant_trainval.txt", "images_variant_test.txt")
REMEDY = "unpack fgvc-aircraft-2013b.tar.gz and give its folder fgvc-aircraft-2013b"

Box = tuple[int, ...]  # xmin, ymin, xmax, ymax in pixels


class CroppedAircraft(NamedTuple):
    """The images of every class id within their boxes, sorted by name."""

    images: list[list[tuple[Path, Box]]]

    def __call__(self, class_id: int) -> Iterator[bytes]:
        return (changed(file, partial(cropped, box=box)) for file, box in self.images[class_id])


def cropped(image: Image.Image, box: Box) -> Image.Image:
    return image.crop(box)


def plan(source_dir: Path) -> Plan:
    """The 100 variants. Raises UserError naming what is missing."""
    data = source_dir / "data"
    require(source_dir, REMEDY, folders=["data/images"], files=[f"data/{n}" for n in ("images_box.txt", *LISTS)])
    require(source_dir, REMEDY, files=["data/variants.txt"])
    names = sorted(line.strip() for line in (data / "variants.txt").read_text().splitlines() if line.strip())
    refuse(source_dir, [] if len(names) == sum(SIZES) else [f"variants.txt has {len(names)} names, not 100"], REMEDY)
    boxes = {image: corners(data, image, box) for image, box in pairs(data / "images_box.txt")}
    variants = {image: variant for name in LISTS for image, variant in pairs(data / name)}
    require(source_dir, REMEDY, files=(f"data/images/{image}.jpg" for image in variants))
    refuse(source_dir, [f"images_box.txt has no box of {image}" for image in variants if image not in boxes], REMEDY)
    images: dict[str, list] = {name: [] for name in names}
    for image in sorted(variants):
        if variants[image] not in images:
            raise UserError(f"{data}: image {image} is of {variants[image]!r}, not in variants.txt; {REMEDY}")
        images[variants[image]].append((data / "images" / f"{image}.jpg", boxes[image]))
    spec = flat_spec("aircraft", split_of(source_dir, "aircraft", names, SIZES), {n: len(images[n]) for n in names})
    return Plan(spec, CroppedAircraft([images[name] for name in spec.class_names]))


def corners(data: Path, image: str, box: str) -> Box:
    """The four numbers of a box. Raises UserError naming the image where they are none."""
    numbers = box.split()
    if len(numbers) != 4 or not all(number.isdecimal() for number in numbers):
        raise UserError(f"{data / 'images_box.txt'}: {box!r} of image {image} is no box; {REMEDY}")
    return tuple(map(int, numbers))


def pairs(file: Path) -> list[tuple[str, str]]:
    """Image and the rest of the line, for every line."""
    lines = (line.strip().partition(" ") for line in file.read_text().splitlines() if line.strip())
    return [(image, rest) for image, _, rest in lines]
