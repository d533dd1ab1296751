"""Sources prepared by Meta-Dataset's TFDS builder, in `<records root>/meta_dataset/<source>/1.0.0`.

Their records are sorted by class, in shards. `dataset_info.json` has the lengths of the shards; `metadata.json` has the
specifications of Meta-Dataset's versions v1 and v2, and the slice of every class in the concatenation of the shards.
The versions differ for ImageNet alone, whose v2 is the source `ilsvrc_2012_v2` here, as in records of one file per
class. In the shards its classes are in the order of v1; here they are sorted, as in those records.
Reference: `meta_dataset/data/tfds/md_tfds.py` of the official code.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from alfa_md.data.fields import Fields, short_repr
from alfa_md.data.layouts import BUILD_AGAIN, INFO_FILE, METADATA_FILE, Shards
from alfa_md.data.parse_spec import parse_spec
from alfa_md.data.spec_kinds import SPLITS, DatasetSpec, HierarchicalSpec
from alfa_md.errors import UserError
from alfa_md.system.text_files import read_json

FOLDER, VERSION, SPLIT = "meta_dataset", "1.0.0", "all_classes"
SECOND = "_v2"  # ending of the name of a source that Meta-Dataset's second version changes
TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"  # of the names of shards


def find_prepared(root: Path, name: str) -> Path | None:
    """The folder of a prepared source below a records root; None if there is none."""
    folders = (root / FOLDER / builder / VERSION for builder in (name, name.removesuffix(SECOND)))
    return next((folder for folder in folders if folder.is_dir()), None)


def prepared_sources(root: Path) -> list[str]:
    """The sorted names of the prepared sources below a records root; ImageNet is named once."""
    return sorted(folder.parent.name for folder in root.glob(f"{FOLDER}/*/{VERSION}") if folder.is_dir())


def load_prepared(folder: Path, name: str) -> DatasetSpec:
    """The specification of source `name` in the folder of its shards.

    Raises UserError naming a file that is missing or malformed, or files that contradict each other.
    """
    lengths = _shard_lengths(_read(folder / INFO_FILE))
    metadata = _read(folder / METADATA_FILE)
    version, data = _version(metadata, name)
    slices = _inner(metadata, metadata.mapping("relative_class_slices")).mapping(version)
    shards = Shards(folder, lengths, tuple(_class_slices(_inner(metadata, slices))))
    spec = parse_spec(data, folder, shards)
    _check_slices(metadata, spec)
    return _sorted_leaves(spec) if isinstance(spec, HierarchicalSpec) else spec


def _read(file: Path) -> Fields:
    if not file.is_file():
        raise UserError(f"{file}: not found; {BUILD_AGAIN}")
    return Fields(read_json(file, BUILD_AGAIN), file, BUILD_AGAIN)


def _inner(fields: Fields, value: Any) -> Fields:
    """The fields of an object within a file."""
    return Fields(value, fields.where, fields.remedy)


def _shard_lengths(info: Fields) -> tuple[int, ...]:
    """The numbers of records of the shards, which protobuf writes as strings."""
    if (form := info.data.get("fileFormat", "tfrecord")) != "tfrecord":
        info.fail("fileFormat", f"must be 'tfrecord', not {short_repr(form)}")
    splits = [split for split in _list(info, "splits") if isinstance(split, Mapping) and split.get("name") == SPLIT]
    if len(splits) != 1:
        info.fail("splits", f"must have {SPLIT!r} once, and has it {len(splits)} times")
    split = _inner(info, splits[0])
    if (template := split.data.get("filepathTemplate", TEMPLATE)) != TEMPLATE:
        split.fail("filepathTemplate", f"must be {TEMPLATE!r}, not {short_repr(template)}")
    return tuple(split.count("shardLengths", _number(length)) for length in _list(split, "shardLengths"))


def _number(value: Any) -> Any:
    """The number that a short string of digits writes; any other value unchanged."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12 else value


def _list(fields: Fields, name: str) -> list[Any]:
    value = fields.get(name)
    if not isinstance(value, list):
        fields.fail(name, f"must be a list, not {short_repr(value)}")
    return value


def _version(metadata: Fields, name: str) -> tuple[str, Mapping[str, Any]]:
    """Meta-Dataset's version whose specification has this name, and the specification."""
    specs = metadata.mapping("dataset_specs")
    names = {version: spec.get("name") if isinstance(spec, Mapping) else None for version, spec in specs.items()}
    for version, found in names.items():
        if found == name:
            return version, specs[version]
    return metadata.fail("dataset_specs", f"has none named {name!r}, only {short_repr(list(names.values()))}")


def _class_slices(by_split: Fields) -> list[tuple[int, int]]:
    """The (start, stop) of every class, by class id."""

    def pair(name: str, value: Any, key: str) -> tuple[int, int]:
        if not isinstance(value, list) or len(value) != 2:
            by_split.fail(name, f"at {key!r} must be a start and a stop, not {short_repr(value)}")
        return by_split.count(name, value[0], key), by_split.count(name, value[1], key)

    return [bounds for split in SPLITS for bounds in by_split.numbered(split, pair)]


def _check_slices(metadata: Fields, spec: DatasetSpec) -> None:
    """Raise UserError unless the slices, one after the other, have the images of each class, and all of the shards."""
    slices, end = spec.shards.slices, 0
    if len(slices) != len(spec.class_names):
        metadata.fail("relative_class_slices", f"has {len(slices)} classes, but dataset_specs {len(spec.class_names)}")
    for name, count, (start, stop) in zip(spec.class_names, spec.images_per_class, slices, strict=True):
        if (start, stop) != (end, end + count):
            problem = f"has the slice {start} to {stop} for class {name!r}, but its images are {end} to {end + count}"
            metadata.fail("relative_class_slices", f"{problem} by dataset_specs")
        end = stop
    if end != (total := sum(spec.shards.lengths)):
        metadata.fail("relative_class_slices", f"ends at record {end}, but {INFO_FILE} states {total}")


def _sorted_leaves(spec: HierarchicalSpec) -> HierarchicalSpec:
    """The specification with the classes of every split sorted by name, as in records of one file per class."""
    order = [c for split in SPLITS for c in sorted(spec.classes(split), key=spec.class_names.__getitem__)]
    names, images, slices = (
        tuple(values[c] for c in order) for values in (spec.class_names, spec.images_per_class, spec.shards.slices)
    )
    return replace(spec, class_names=names, images_per_class=images, shards=replace(spec.shards, slices=slices))
