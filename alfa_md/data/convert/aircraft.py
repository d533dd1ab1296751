"""Converter of FGVC-Aircraft: 100 variants, images cropped to bounding boxes, random split 70 / 15 / 15.

Reads the folder `data` of `fgvc-aircraft-2013b.tar.gz`: `variants.txt`, the boxes in `images_box.txt`, the labels in
`images_variant_trainval.txt` and `images_variant_test.txt`, and `images/<image>.jpg`.
References: Maji et al., "Fine-grained visual classification of aircraft", 2013; splits of Triantafillou et al.,
"Meta-Dataset", ICLR 2020.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from alfa_md.data.convert_common.jpeg import read_each, transform_to_jpeg
from alfa_md.data.convert_common.left_out import report_unused
from alfa_md.data.convert_common.originals import raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Copied, Plan, Unreadable
from alfa_md.data.convert_common.random_split import flat_spec, load_or_draw_split
from alfa_md.data.listed_files import listed_path
from alfa_md.errors import UserError
from alfa_md.system.text_files import read_lines

SIZES = (70, 15, 15)
LISTS = ("images_variant_trainval.txt", "images_variant_test.txt")
REMEDY = "unpack fgvc-aircraft-2013b.tar.gz and give its folder fgvc-aircraft-2013b"

Corners = tuple[int, ...]  # xmin, ymin, xmax, ymax in pixels


class CroppedAircraft(NamedTuple):
    """The images of a class id cropped to their boxes, sorted by name."""

    images: list[list[tuple[Path, Corners]]]

    def __call__(self, class_id: int) -> Iterator[bytes | Copied | Unreadable]:
        boxes = dict(self.images[class_id])
        return read_each(lambda file: transform_to_jpeg(file, partial(crop_to_corners, box=boxes[file])), boxes)


def crop_to_corners(image: Image.Image, box: Corners) -> Image.Image:
    return image.crop(box)


def plan(source_dir: Path) -> Plan:
    """The plan of the 100 variants. Raises UserError naming missing files."""
    data = source_dir / "data"
    require_originals(
        source_dir, REMEDY, folders=["data/images"], files=[f"data/{n}" for n in ("images_box.txt", *LISTS)]
    )
    require_originals(source_dir, REMEDY, files=["data/variants.txt"])
    names = sorted(read_lines(data / "variants.txt", REMEDY))
    raise_if_any(
        source_dir, [] if len(names) == sum(SIZES) else [f"variants.txt has {len(names)} names, not 100"], REMEDY
    )
    boxes = {image: parse_corners(data, image, box) for image, box in read_pairs(data / "images_box.txt")}
    pairs = [pair for name in LISTS for pair in read_pairs(data / name)]
    variants = dict(pairs)
    ambiguous = [image for image, variant in pairs if variants[image] != variant]
    raise_if_any(source_dir, [f"image {image} is listed with two variants" for image in ambiguous], REMEDY)
    for image in variants:
        listed_path(data / "images", f"{image}.jpg", data)
    require_originals(source_dir, REMEDY, files=(f"data/images/{image}.jpg" for image in variants))
    raise_if_any(
        source_dir, [f"images_box.txt has no box of {image}" for image in variants if image not in boxes], REMEDY
    )
    images: dict[str, list] = {name: [] for name in names}
    for image in sorted(variants):
        if variants[image] not in images:
            raise UserError(f"{data}: image {image} is of {variants[image]!r}, not in variants.txt; {REMEDY}")
        images[variants[image]].append((data / "images" / f"{image}.jpg", boxes[image]))
    spec = flat_spec(
        "aircraft", load_or_draw_split(source_dir, "aircraft", names, SIZES), {n: len(images[n]) for n in names}
    )
    notes = report_unused(data / "images", {file for own in images.values() for file, _ in own})
    return Plan(spec, CroppedAircraft([images[name] for name in spec.class_names]), notes=notes)


def parse_corners(data: Path, image: str, box: str) -> Corners:
    """The four integers of a box. Raises UserError naming the image if the line is invalid."""
    numbers = box.split()
    if len(numbers) != 4 or not all(number.isdecimal() for number in numbers):
        raise UserError(f"{data / 'images_box.txt'}: {box!r} of image {image} is no box; {REMEDY}")
    return tuple(map(int, numbers))


def read_pairs(file: Path) -> list[tuple[str, str]]:
    """(image, rest of the line) for every non-empty line."""
    return [(image, rest) for image, _, rest in (line.partition(" ") for line in read_lines(file, REMEDY))]
