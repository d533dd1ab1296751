"""Converter of Describable Textures (DTD): 47 textures, random split 33 / 7 / 7.

Reads the folder `dtd` of `dtd-r1.0.1.tar.gz`: `images/<texture>/`. A stray file `.directory` among the images of a
texture is ignored.
References: Cimpoi et al., "Describing textures in the wild", CVPR 2014; splits of Triantafillou et al., "Meta-Dataset",
ICLR 2020.
"""

from pathlib import Path

from alfa_md.data.convert_common.image_file_plan import jpeg_files, plan_image_files
from alfa_md.data.convert_common.originals import folder_names, require_originals
from alfa_md.data.convert_common.plan import Plan

SIZES = (33, 7, 7)
REMEDY = "unpack dtd-r1.0.1.tar.gz and give its folder dtd"


def plan(source_dir: Path) -> Plan:
    """The plan of the 47 textures, images sorted by name. Raises UserError naming missing files."""
    require_originals(source_dir, REMEDY, folders=["images"])
    files = {name: jpeg_files(source_dir / "images" / name) for name in folder_names(source_dir / "images")}
    return plan_image_files("dtd", source_dir, files, SIZES, REMEDY)
