"""Converter of MSCOCO objects: 80 categories, random split 0 / 40 / 40.

Reads `train2017/` of `train2017.zip` and `instances_train2017.json` of `annotations_trainval2017.zip`, beside it or in
`annotations/`. Every annotated object, crowds included, is one image: its box enlarged by 20 %, in the order of
the annotations.
References: Lin et al., "Microsoft COCO: common objects in context", ECCV 2014; splits of Triantafillou et al.,
"Meta-Dataset", ICLR 2020.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from alfa_md.data.convert_common.jpeg import UnreadableImage, transform_to_jpeg
from alfa_md.data.convert_common.left_out import report_unused
from alfa_md.data.convert_common.originals import raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Plan, Skipped
from alfa_md.data.convert_common.random_split import flat_spec, load_or_draw_split
from alfa_md.data.listed_files import listed_path
from alfa_md.errors import UserError
from alfa_md.system.text_files import read_json

SIZES = (0, 40, 40)
IMAGES, ANNOTATIONS = "train2017", "instances_train2017.json"
REMEDY = f"unpack train2017.zip and annotations_trainval2017.zip there ({IMAGES}/ and annotations/{ANNOTATIONS})"
ENLARGEMENT = 1.2

ObjectBox = tuple[float, float, float, float]  # left, top, width, height in pixels


class Objects(NamedTuple):
    """The cropped objects of a class id, given image file and box."""

    folder: Path
    boxes: list[list[tuple[str, ObjectBox]]]

    def __call__(self, class_id: int) -> Iterator[bytes | Skipped]:
        for name, box in self.boxes[class_id]:
            try:
                yield transform_to_jpeg(self.folder / name, partial(crop_enlarged, box=box))
            except (UnreadableImage, EmptyBox) as error:
                yield Skipped(name, str(error))


class EmptyBox(UserError):
    """A box that contains no pixel of its image."""


def crop_enlarged(image: Image.Image, box: ObjectBox) -> Image.Image:
    """The image cropped to the enlarged box. Raises EmptyBox if the crop is empty."""
    left, top, right, bottom = enlarged_corners(box, image.size)
    if right <= left or bottom <= top:
        raise EmptyBox(f"box {box} is empty")
    return image.crop((left, top, right, bottom))


def enlarged_corners(box: ObjectBox, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the box enlarged about its centre, clipped to an image of size (width, height)."""
    left, top, width, height = box
    # In the order of the official arithmetic, on which the rounding of ties depends.
    left, top = left - 0.5 * width * (ENLARGEMENT - 1.0), top - 0.5 * height * (ENLARGEMENT - 1.0)
    right, bottom = round(left + width * ENLARGEMENT - 0.5) + 1, round(top + height * ENLARGEMENT - 0.5) + 1
    return max(round(left - 0.5), 0), max(round(top - 0.5), 0), min(right, size[0]), min(bottom, size[1])


def plan(source_dir: Path) -> Plan:
    """The plan of the 80 categories. Raises UserError naming missing files."""
    require_originals(source_dir, REMEDY, folders=[IMAGES])
    beside, inside = source_dir / ANNOTATIONS, source_dir / "annotations" / ANNOTATIONS
    file = beside if beside.exists() else inside
    require_originals(file.parent, REMEDY, files=[ANNOTATIONS])
    boxes = read_annotations(file)
    raise_if_any(source_dir, [] if len(boxes) == sum(SIZES) else [f"{len(boxes)} categories, not 80"], REMEDY)
    raise_if_any(source_dir, [f"no object of {name}" for name in boxes if not boxes[name]], REMEDY)
    present = {path.name for path in (source_dir / IMAGES).iterdir()}
    used = {image_file for own in boxes.values() for image_file, _ in own}
    paths = {listed_path(source_dir / IMAGES, name, file) for name in used}
    raise_if_any(source_dir, [f"{IMAGES}/{name} is missing" for name in sorted(used - present)], REMEDY)
    counts = {name: len(own) for name, own in boxes.items()}
    spec = flat_spec("mscoco", load_or_draw_split(source_dir, "mscoco", list(boxes), SIZES), counts)
    notes = report_unused(source_dir / IMAGES, paths)
    return Plan(spec, Objects(source_dir / IMAGES, [boxes[name] for name in spec.class_names]), notes=notes)


def read_annotations(file: Path) -> dict[str, list[tuple[str, ObjectBox]]]:
    """(image file, box) of every object by category, in the order of the file. Raises UserError naming the file."""
    content = read_json(file, REMEDY)
    try:
        names = {category["id"]: str(category["name"]) for category in content["categories"]}
        image_files = {image["id"]: str(image["file_name"]) for image in content["images"]}
        if len(names) < len(content["categories"]) or len(image_files) < len(content["images"]):
            raise ValueError("a category or image has the id of another")
        boxes: dict[str, list[tuple[str, ObjectBox]]] = {name: [] for name in names.values()}
        for annotation in content["annotations"]:
            left, top, width, height = map(float, annotation["bbox"])
            if not np.isfinite((left, top, width, height)).all():
                raise ValueError(f"box {annotation['bbox']}")
            image_file = image_files[annotation["image_id"]]
            boxes[names[annotation["category_id"]]].append((image_file, (left, top, width, height)))
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"{file}: is not the list of objects of MSCOCO ({reason}); {REMEDY}") from error
    return boxes
