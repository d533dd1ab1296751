"""Describable Textures as a source of Meta-Dataset: 47 textures, divided at random into 33 / 7 / 7.

Reads the folder `dtd` of `dtd-r1.0.1.tar.gz`: `images/<texture>/`. The file `.directory` that lies among the images of
a texture is none.
References: Cimpoi et al., "Describing textures in the wild", CVPR 2014; splits of Triantafillou et al., "Meta-Dataset",
ICLR 2020.
"""

from pathlib import Path

from alfa_md.data.conversion.class_files import KeptFiles
from alfa_md.data.conversion.originals import class_folders, picture_files, refuse, require
from alfa_md.data.conversion.plan import Plan
from alfa_md.data.conversion.random_split import flat_spec, split_of

SIZES = (33, 7, 7)
REMEDY = "unpack dtd-r1.0.1.tar.gz and give its folder dtd"


def plan(source_dir: Path) -> Plan:
    """The 47 textures, images sorted by name. Raises UserError naming what is missing."""
    require(source_dir, REMEDY, folders=["images"])
    names = class_folders(source_dir / "images")
    refuse(source_dir, [] if len(names) == sum(SIZES) else [f"images has {len(names)} folders, not 47"], REMEDY)
    files = {name: pictures(source_dir / "images" / name) for name in names}
    refuse(source_dir, [f"images/{name} has no image" for name in names if not files[name]], REMEDY)
    spec = flat_spec("dtd", split_of(source_dir, "dtd", names, SIZES), {name: len(files[name]) for name in names})
    return Plan(spec, KeptFiles([files[name] for name in spec.class_names]))


def pictures(folder: Path) -> list[Path]:
    return [folder / name for name in picture_files(folder, ".jpg", ".jpeg")]
