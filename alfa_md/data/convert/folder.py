"""Converter of your own images: a folder of class folders, whose name becomes the name of the source.

Reads `<class>/<image>`, sorted by name, in JPEG, PNG, BMP, GIF, PPM, TIFF or WebP. The split is read from
`splits.json`, an object of the lists train, valid and test of class names, or `splits.csv`, with the columns class and
split; without either it is random with a fixed seed: 70 % training, 15 % validation, 15 % test. A third column
`superclass` in the csv makes the source bi-level, as Omniglot is.
"""

import csv
from pathlib import Path

from alfa_md.data.convert_common.image_file_plan import FilesAsJpeg
from alfa_md.data.convert_common.originals import file_names, folder_names, raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.convert_common.random_split import (
    SplitNames,
    check_listed_classes,
    flat_spec,
    random_split,
    read_split,
)
from alfa_md.data.spec import SPLITS, BiLevelSpec, DatasetSpec
from alfa_md.errors import UserError

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".tif", ".tiff", ".webp")
REMEDY = "give a folder with one folder of pictures for each class"
JSON, CSV = "splits.json", "splits.csv"
SHARE_OF_TRAIN, SHARE_OF_VALID = 0.70, 0.15


def plan(source_dir: Path) -> Plan:
    """The plan of all classes. Raises UserError naming missing or contradictory files."""
    require_originals(source_dir, REMEDY)
    names = folder_names(source_dir)
    raise_if_any(source_dir, [] if names else ["no class folder"], REMEDY)
    files = {n: [source_dir / n / file for file in file_names(source_dir / n, *ENDINGS)] for n in names}
    raise_if_any(source_dir, [f"{name} has no picture" for name in names if not files[name]], REMEDY)
    counts = {name: len(files[name]) for name in names}
    spec = folder_spec(source_dir, names, counts)
    return Plan(spec, FilesAsJpeg([files[name] for name in spec.class_names]))


def folder_spec(source_dir: Path, names: list[str], counts: dict[str, int]) -> DatasetSpec:
    """The specification by the split file, or by a random split if there is none."""
    source = source_dir.resolve().name
    if (source_dir / CSV).exists():
        return spec_from_csv(source_dir / CSV, source, names, counts)
    if (source_dir / JSON).exists():
        return flat_spec(source, read_split(source_dir / JSON, names), counts)
    train, valid = round(SHARE_OF_TRAIN * len(names)), round(SHARE_OF_VALID * len(names))
    return flat_spec(source, random_split(names, (train, valid, len(names) - train - valid)), counts)


def spec_from_csv(file: Path, source: str, names: list[str], counts: dict[str, int]) -> DatasetSpec:
    """The specification by `splits.csv`: bi-level if it has superclasses, else flat."""
    with file.open(newline="", encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    if not rows or not {"class", "split"} <= rows[0].keys():
        raise UserError(f"{file}: has no columns class and split; write a first line that names them")
    if wrong := [row["split"] for row in rows if row["split"] not in SPLITS]:
        raise UserError(f"{file}: has the split {wrong[0]!r}; the splits are {', '.join(SPLITS)}")
    check_listed_classes(file, [row["class"] or "" for row in rows], names)
    split = {part: [row["class"] for row in rows if row["split"] == part] for part in SPLITS}
    if "superclass" not in rows[0]:
        return flat_spec(source, split, counts)
    return bi_level_spec(file, source, split, {row["class"]: row["superclass"] for row in rows}, counts)


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
