"""Converter of CUB-200-2011: 200 bird species, uncropped images, random split 140 / 30 / 30.

Reads the folder `CUB_200_2011` of `CUB_200_2011.tgz`: `classes.txt`, lines of number and name, and `images/<name>/`.
References: Wah et al., "The Caltech-UCSD Birds-200-2011 dataset", 2011; splits of Triantafillou et al., "Meta-Dataset",
ICLR 2020.
"""

from pathlib import Path

from alfa_md.data.convert_common.image_file_plan import jpeg_files, plan_image_files
from alfa_md.data.convert_common.originals import require_originals
from alfa_md.data.convert_common.plan import Plan

SIZES = (140, 30, 30)
REMEDY = "unpack CUB_200_2011.tgz and give its folder CUB_200_2011"


def plan(source_dir: Path) -> Plan:
    """The plan of the 200 species, images sorted by name. Raises UserError naming missing files."""
    require_originals(source_dir, REMEDY, folders=["images"], files=["classes.txt"])
    lines = (source_dir / "classes.txt").read_text("utf-8").splitlines()
    names = [line.split()[1] for line in lines if len(line.split()) == 2]
    require_originals(source_dir, REMEDY, folders=[f"images/{name}" for name in names])
    files = {name: jpeg_files(source_dir / "images" / name) for name in names}
    return plan_image_files("cu_birds", source_dir, files, SIZES, REMEDY)
