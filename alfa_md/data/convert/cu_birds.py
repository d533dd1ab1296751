"""CUB-200-2011 birds as a source of Meta-Dataset: 200 species, whole images, divided at random into 140 / 30 / 30.

Reads the folder `CUB_200_2011` of `CUB_200_2011.tgz`: `classes.txt`, a number and a name a line, and `images/<name>/`.
References: Wah et al., "The Caltech-UCSD Birds-200-2011 dataset", 2011; splits of Triantafillou et al., "Meta-Dataset",
ICLR 2020.
"""

from pathlib import Path

from alfa_md.data.conversion.class_files import KeptFiles
from alfa_md.data.conversion.originals import picture_files, refuse, require
from alfa_md.data.conversion.plan import Plan
from alfa_md.data.conversion.random_split import flat_spec, split_of

SIZES = (140, 30, 30)
REMEDY = "unpack CUB_200_2011.tgz and give its folder CUB_200_2011"


def plan(source_dir: Path) -> Plan:
    """The 200 species, images sorted by name. Raises UserError naming what is missing."""
    require(source_dir, REMEDY, folders=["images"], files=["classes.txt"])
    lines = (source_dir / "classes.txt").read_text().splitlines()
    names = [line.split()[1] for line in lines if len(line.split()) == 2]
    refuse(source_dir, [] if len(names) == sum(SIZES) else [f"classes.txt has {len(names)} classes, not 200"], REMEDY)
    require(source_dir, REMEDY, folders=[f"images/{name}" for name in names])
    files = {name: pictures(source_dir / "images" / name) for name in names}
    refuse(source_dir, [f"images/{name} has no image" for name in names if not files[name]], REMEDY)
    spec = flat_spec("cu_birds", split_of(source_dir, "cu_birds", names, SIZES), {n: len(files[n]) for n in names})
    return Plan(spec, KeptFiles([files[name] for name in spec.class_names]))


def pictures(folder: Path) -> list[Path]:
    return [folder / name for name in picture_files(folder, ".jpg", ".jpeg")]
