"""Converter of CUB-200-2011: 200 bird species, uncropped images, random split 140 / 30 / 30.

Reads the folder `CUB_200_2011` of `CUB_200_2011.tgz`: `classes.txt`, lines of number and name, and `images/<name>/`.
References: Wah et al., "The Caltech-UCSD Birds-200-2011 dataset", 2011; splits of Triantafillou et al., "Meta-Dataset",
ICLR 2020.
"""

from pathlib import Path

from alfa_md.data.convert_common.image_file_plan import jpeg_files, plan_image_files
from alfa_md.data.convert_common.originals import raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.listed_files import listed_path
from alfa_md.system.text_files import read_lines

SIZES = (140, 30, 30)
REMEDY = "unpack CUB_200_2011.tgz and give its folder CUB_200_2011"


def plan(source_dir: Path) -> Plan:
    """The plan of the 200 species, images sorted by name. Raises UserError naming missing files."""
    require_originals(source_dir, REMEDY, folders=["images"], files=["classes.txt"])
    pairs = [line.split() for line in read_lines(source_dir / "classes.txt", REMEDY)]
    raise_if_any(source_dir, [f"classes.txt: {pair} is no number and name" for pair in pairs if len(pair) != 2], REMEDY)
    folders = {name: listed_path(source_dir / "images", name, source_dir / "classes.txt") for _, name in pairs}
    require_originals(source_dir, REMEDY, folders=[f"images/{folder.name}" for folder in folders.values()])
    files = {name: jpeg_files(folder) for name, folder in folders.items()}
    return plan_image_files("cu_birds", source_dir, files, SIZES, REMEDY)
