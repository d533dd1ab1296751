"""Converter of FGVCx Fungi 2018: 1394 species, random split 994 / 200 / 200.

Reads `train.json` and `val.json` of the competition and the images that they list, below `images/` of
`fungi_train_val.tgz`. The images of a species are in the order of the list `images`, those of `train.json` first. An
image has the species of its last annotation; one without annotation is left out.
References: Schroeder and Cui, "FGVCx fungi classification challenge", 2018; splits of Triantafillou et al.,
"Meta-Dataset", ICLR 2020.
"""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.convert_common.image_file_plan import plan_image_files
from alfa_md.data.convert_common.left_out import report_names
from alfa_md.data.convert_common.originals import raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.listed_files import listed_path
from alfa_md.errors import UserError
from alfa_md.system.text_files import read_json

SIZES = (994, 200, 200)
LISTS = ("train.json", "val.json")
REMEDY = "unpack fungi_train_val.tgz and train_val_annotations.tgz there"


class ImageList(NamedTuple):
    """The content of one list.

    Attributes:
      categories: names by id.
      images: (category id, file) of every annotated image, in the order of the list.
      unannotated: files of images without annotation.
      ambiguous: files of images with annotations of several categories.
    """

    categories: dict[int, str]
    images: list[tuple[int, str]]
    unannotated: list[str]
    ambiguous: list[str]


def plan(source_dir: Path) -> Plan:
    """The plan of the 1394 species. Raises UserError naming missing files."""
    require_originals(source_dir, REMEDY, folders=["images"], files=LISTS)
    lists = {source_dir / name: read_list(source_dir / name) for name in LISTS}
    categories = {number: name for content in reversed(lists.values()) for number, name in content.categories.items()}
    files: dict[int, list[Path]] = {number: [] for number in sorted(categories)}
    for list_file, content in lists.items():
        for number, name in content.images:
            files[number].append(listed_path(source_dir, name, list_file))
    raise_if_any(source_dir, (f"{f} is missing" for own in files.values() for f in own if not f.is_file()), REMEDY)
    named = {f"{number:04d}.{categories[number]}": own for number, own in files.items()}
    unannotated = [name for content in lists.values() for name in content.unannotated]
    ambiguous = [name for content in lists.values() for name in content.ambiguous]
    listed = Counter(path.relative_to(source_dir).as_posix() for own in files.values() for path in own)
    notes = (
        *report_names("images without annotation left out", unannotated),
        *report_names("images annotated as several species, taken as the last", ambiguous),
        *report_names("images listed more than once, taken each time", (n for n, times in listed.items() if times > 1)),
    )
    return plan_image_files("fungi", source_dir, named, SIZES, REMEDY, notes)


def whole_number(value: object) -> int:
    """The integer of a number or text. Raises ValueError or TypeError if it is none."""
    if int(value) != float(value):
        raise ValueError(f"{value} is no whole number")
    return int(value)


def read_list(file: Path) -> ImageList:
    """The content of `train.json` or `val.json`. Raises UserError naming the file."""
    content = read_json(file, REMEDY)
    try:
        categories = {whole_number(category["id"]): str(category["name"]) for category in content["categories"]}
        if len(categories) < len(content["categories"]):
            raise ValueError("a category has the id of another")
        names = {image["id"]: str(image["file_name"]) for image in content["images"]}
        if len(names) < len(content["images"]):
            raise ValueError("an image has the id of another")
        species: dict[int, list[int]] = {number: [] for number in names}
        for annotation in content["annotations"]:
            species[annotation["image_id"]].append(whole_number(annotation["category_id"]))
        images = [(numbers[-1], names[image]) for image, numbers in species.items() if numbers]
        if unknown := {number for number, _ in images} - categories.keys():
            raise KeyError(min(unknown))
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"{file}: is not the list of the competition ({reason}); {REMEDY}") from error
    unannotated = [names[image] for image, numbers in species.items() if not numbers]
    ambiguous = [names[image] for image, numbers in species.items() if len(set(numbers)) > 1]
    return ImageList(categories, images, unannotated, ambiguous)
