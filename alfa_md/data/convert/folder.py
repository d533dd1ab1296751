"""Converter of your own images: a folder of class folders, whose name becomes the name of the source.

Reads `<class>/<image>`, sorted by name, in JPEG, PNG, BMP, GIF, PPM, TIFF or WebP; of a class that has images, also
those in folders within it. The split is read from `splits.csv`, with the columns class and split, `splits.json`, an
object of the lists train, valid and test of class names, or train.txt, valid.txt and test.txt with a class a line;
without any it is random with a fixed seed: 70 % training, 15 % validation, 15 % test. A third column `superclass` in the
csv makes the source bi-level, as Omniglot is.
"""

from collections.abc import Mapping
from pathlib import Path

from alfa_md.data.convert_common.image_file_plan import FilesAsJpeg
from alfa_md.data.convert_common.left_out import report_names, report_unused
from alfa_md.data.convert_common.originals import folder_names, raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.convert_common.random_split import (
    SplitNames,
    check_listed_classes,
    flat_spec,
    random_split,
    read_split,
)
from alfa_md.data.images.image_files import ClassImageFiles, list_class_images
from alfa_md.data.images.split_lists import CSV, JSON, find_lists, split_files
from alfa_md.data.listed_files import listed_path, match_names
from alfa_md.data.spec import SPLITS, BiLevelSpec, DatasetSpec
from alfa_md.errors import UserError
from alfa_md.system.text_files import read_rows

REMEDY = "give a folder with one folder of pictures for each class"
SHARE_OF_TRAIN, SHARE_OF_VALID = 0.70, 0.15


def plan(source_dir: Path) -> Plan:
    """The plan of all classes. Raises UserError naming missing or contradictory files."""
    require_originals(source_dir, REMEDY)
    names = folder_names(source_dir)
    raise_if_any(source_dir, [] if names else ["no class folder"], REMEDY)
    images = {name: list_class_images(source_dir / name) for name in names}
    files = {name: [own.folder / file for file in own.names] for name, own in images.items()}
    spec = folder_spec(source_dir, names, {name: len(files[name]) for name in names})
    plan = Plan(spec, FilesAsJpeg([files[name] for name in spec.class_names]))
    return plan._replace(notes=report_files(source_dir, images))


def report_files(source_dir: Path, images: Mapping[str, ClassImageFiles]) -> tuple[str, ...]:
    """The lines of the report on images of folders within classes, which are taken, and on files left out."""
    nested = [f"{name}/{file}" for name, own in images.items() for file in own.names if "/" in file]
    used = {own.folder / file for own in images.values() for file in own.names}
    used |= set(split_files(source_dir))
    return (*report_names("images taken from folders within a class", nested), *report_unused(source_dir, used))


def folder_spec(source_dir: Path, names: list[str], counts: dict[str, int]) -> DatasetSpec:
    """The specification by the split file, or by a random split if there is none.

    Raises UserError for a split file that does not divide the classes, or lists one that leads out of the folder, and
    for a folder whose name cannot be printed.
    """
    source, splits = source_dir.resolve().name, split_files(source_dir)
    if not source.isprintable():
        raise UserError(f"{source_dir}: its name, that of the source, cannot be printed; rename the folder")
    if splits:
        read = {CSV: spec_from_csv, JSON: spec_from_json}.get(splits[0].name, spec_from_texts)
        spec = read(splits[0], source, names, counts)
        for name in spec.class_names:
            listed_path(source_dir, name, splits[0])
        return spec
    train, valid = round(SHARE_OF_TRAIN * len(names)), round(SHARE_OF_VALID * len(names))
    return flat_spec(source, random_split(names, (train, valid, len(names) - train - valid)), counts)


def spec_from_json(file: Path, source: str, names: list[str], counts: dict[str, int]) -> DatasetSpec:
    """The flat specification by `splits.json`."""
    return flat_spec(source, read_split(file, names), counts)


def spec_from_texts(file: Path, source: str, names: list[str], counts: dict[str, int]) -> DatasetSpec:
    """The flat specification by the three text files beside `file`, which is one of them."""
    folder, listed = file.parent, find_lists(file.parent).classes
    split = {part: match_names(listed[part], names) for part in SPLITS}
    check_listed_classes(folder, [name for part in SPLITS for name in split[part]], names)
    return flat_spec(source, split, counts)


def spec_from_csv(file: Path, source: str, names: list[str], counts: dict[str, int]) -> DatasetSpec:
    """The specification by `splits.csv`: bi-level if it has superclasses, else flat."""
    rows = [row | {"split": row["split"].strip()} for row in read_rows(file, ("class", "split"))]
    if wrong := [row["split"] for row in rows if row["split"] not in SPLITS]:
        raise UserError(f"{file}: has the split {wrong[0]!r}; the splits are {', '.join(SPLITS)}")
    for row, name in zip(rows, match_names([row["class"] for row in rows], names), strict=True):
        row["class"] = name
    check_listed_classes(file, [row["class"] for row in rows], names)
    split = {part: [row["class"] for row in rows if row["split"] == part] for part in SPLITS}
    if not rows or "superclass" not in rows[0]:
        return flat_spec(source, split, counts)
    if without := [row["class"] for row in rows if not (row["superclass"] or "").strip()]:
        raise UserError(f"{file}: class {without[0]!r} has no superclass; give every class one, or drop the column")
    return bi_level_spec(file, source, split, {row["class"]: row["superclass"].strip() for row in rows}, counts)


def bi_level_spec(
    file: Path, source: str, split: SplitNames, superclass_of: dict[str, str], counts: dict[str, int]
) -> BiLevelSpec:
    """The bi-level specification: classes grouped by superclass within their split, in order of first appearance."""
    groups = {part: list(dict.fromkeys(superclass_of[name] for name in split[part])) for part in SPLITS}
    superclasses = [group for part in SPLITS for group in groups[part]]
    if len(set(superclasses)) < len(superclasses):
        twice = next(group for group in superclasses if superclasses.count(group) > 1)
        raise UserError(f"{file}: superclass {twice!r} has classes in two splits; give it one split")
    ordered = {p: [name for group in groups[p] for name in split[p] if superclass_of[name] == group] for p in SPLITS}
    names = tuple(name for part in SPLITS for name in ordered[part])
    return BiLevelSpec(
        name=source,
        class_names=names,
        images_per_class=tuple(counts[name] for name in names),
        classes_per_split={part: len(ordered[part]) for part in SPLITS},
        superclass_names=tuple(superclasses),
        classes_per_superclass=tuple(sum(superclass_of[name] == group for name in names) for group in superclasses),
        superclasses_per_split={part: len(groups[part]) for part in SPLITS},
    )
