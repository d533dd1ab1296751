"""Converter of FGVCx Fungi 2018: 1394 species, random split 994 / 200 / 200.

Reads `train.json` and `val.json` of the competition and the images that they list, below `images/` of
`fungi_train_val.tgz`. The images of a species are in the order of the annotations, those of `train.json` first.
References: Schroeder and Cui, "FGVCx fungi classification challenge", 2018; splits of Triantafillou et al.,
"Meta-Dataset", ICLR 2020.
"""

import json
from pathlib import Path
from typing import Any

from alfa_md.data.convert_common.image_file_plan import plan_image_files
from alfa_md.data.convert_common.originals import raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Plan
from alfa_md.errors import UserError

SIZES = (994, 200, 200)
LISTS = ("train.json", "val.json")
REMEDY = "unpack fungi_train_val.tgz and train_val_annotations.tgz there"


def plan(source_dir: Path) -> Plan:
    """The plan of the 1394 species. Raises UserError naming missing files."""
    require_originals(source_dir, REMEDY, folders=["images"], files=LISTS)
    lists = [read_annotations(source_dir / name) for name in LISTS]
    categories = {number: name for names, _ in reversed(lists) for number, name in names.items()}
    files: dict[int, list[Path]] = {number: [] for number in sorted(categories)}
    for _, images in lists:
        for number, file in images:
            files[number].append(source_dir / file)
    raise_if_any(source_dir, (f"{f} is missing" for own in files.values() for f in own if not f.is_file()), REMEDY)
    named = {f"{number:04d}.{categories[number]}": own for number, own in files.items()}
    return plan_image_files("fungi", source_dir, named, SIZES, REMEDY)


def read_annotations(file: Path) -> tuple[dict[int, str], list[tuple[int, str]]]:
    """Category names by id, and (category id, image file) of every annotation. Raises UserError naming the file."""
    try:
        content: dict[str, Any] = json.loads(file.read_bytes())
        names = {int(category["id"]): str(category["name"]) for category in content["categories"]}
        image_files = {image["id"]: str(image["file_name"]) for image in content["images"]}
        images = [(int(a["category_id"]), image_files[a["image_id"]]) for a in content["annotations"]]
        if strangers := {number for number, _ in images} - names.keys():
            raise KeyError(min(strangers))
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"{file}: is not the list of the competition ({reason}); {REMEDY}") from error
    return names, images
