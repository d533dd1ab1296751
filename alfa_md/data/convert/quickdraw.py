"""Converter of Quick, Draw!: 345 drawings, random split 241 / 52 / 52.

Reads the bitmaps `<drawing>.npy` of the folder `numpy_bitmap` of the public data, arrays [N, 784] of uint8 or bool,
strokes light on dark; every row is an image of 28 x 28 pixels.
References: Jongejan et al., "The Quick, Draw! - A.I. experiment", 2016; splits of Triantafillou et al., "Meta-Dataset",
ICLR 2020.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from alfa_md.data.convert_common.jpeg import encode_jpeg
from alfa_md.data.convert_common.left_out import report_unused
from alfa_md.data.convert_common.originals import file_names, raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.convert_common.random_split import flat_spec, load_or_draw_split
from alfa_md.errors import UserError

SIZES = (241, 52, 52)
SIDE = 28  # pixels
WHITE = 255
SPLIT_FILE = "quickdraw_splits.json"
REMEDY = "download the 345 files of numpy_bitmap there"


class Drawings(NamedTuple):
    """The drawings of a class id, one per row of its array."""

    files: list[Path]

    def __call__(self, class_id: int) -> Iterator[bytes]:
        return (encode_jpeg(bitmap_image(row)) for row in load_bitmaps(self.files[class_id]))


def bitmap_image(row: np.ndarray) -> Image.Image:
    """The RGB image of one row [784], uint8 or bool."""
    pixels = row * np.uint8(WHITE) if row.dtype == bool else row
    return Image.fromarray(pixels.reshape(SIDE, SIDE)).convert("RGB")


def plan(source_dir: Path) -> Plan:
    """The plan of the 345 drawings. Raises UserError naming missing files or an array of another shape."""
    require_originals(source_dir, REMEDY)
    found = file_names(source_dir, ".npy")
    files = {name.partition(".")[0]: source_dir / name for name in found}
    raise_if_any(source_dir, [] if len(found) == sum(SIZES) else [f"{len(found)} .npy files, not 345"], REMEDY)
    raise_if_any(source_dir, [] if len(files) == len(found) else ["two files of one drawing"], REMEDY)
    names = sorted(files)
    counts = {name: len(load_bitmaps(files[name])) for name in names}
    raise_if_any(source_dir, [f"{files[name].name} has no drawing" for name in names if not counts[name]], REMEDY)
    spec = flat_spec("quickdraw", load_or_draw_split(source_dir, "quickdraw", names, SIZES), counts)
    notes = report_unused(source_dir, set(files.values()), expected=(SPLIT_FILE,))
    return Plan(spec, Drawings([files[name] for name in spec.class_names]), notes=notes)


def load_bitmaps(file: Path) -> np.ndarray:
    """The memory-mapped array [N, 784] of a file. Raises UserError naming an invalid file."""
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{file}: is not a whole array; download it again") from error
    if array.dtype not in (bool, np.uint8) or array.shape[1:] != (SIDE * SIDE,):
        raise UserError(f"{file}: holds {array.dtype} {list(array.shape)}, not uint8 [N, 784]; download it again")
    return array
