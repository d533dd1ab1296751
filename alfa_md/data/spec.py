"""Reading and writing of `dataset_spec.json`, the class specification of a Meta-Dataset source.

A source is a directory `<records root>/<name>` with this file and one record file per class.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alfa_md.data.fields import Fields, short_repr
from alfa_md.data.spec_kinds import (
    FILE_PATTERN,
    SPEC_FILE,
    SPLITS,
    BiLevelSpec,
    DatasetSpec,
    HierarchicalSpec,
    Node,
    spec_label,
    split_range,
)
from alfa_md.errors import MissingSource, UserError
from alfa_md.system.files import atomic_write

__all__ = [
    "SPEC_FILE",
    "SPLITS",
    "BiLevelSpec",
    "DatasetSpec",
    "HierarchicalSpec",
    "Node",
    "load_spec",
    "missing_spec",
    "parse_spec",
    "save_spec",
]


def parse_spec(data: Mapping[str, Any], path: Path | None = None) -> DatasetSpec:
    """The specification for the content of a `dataset_spec.json`. Raises UserError naming an invalid field."""
    fields = Fields(data, spec_label(path))
    if (pattern := data.get("file_pattern", FILE_PATTERN)) != FILE_PATTERN:
        fields.fail(
            "file_pattern", f"must be {FILE_PATTERN!r}, not {short_repr(pattern)} (pools and shards are not supported)"
        )
    parsers = {DatasetSpec.kind: _flat, BiLevelSpec.kind: _bi_level, HierarchicalSpec.kind: _hierarchical}
    kind = fields.text("__class__", fields.get("__class__"))
    if kind not in parsers:
        fields.fail("__class__", f"must be one of {', '.join(parsers)}, not {short_repr(kind)}")
    name = fields.text("name", fields.get("name"))
    return parsers[kind](fields, name=name, class_names=fields.numbered("class_names", fields.text), path=path)


def _flat(fields: Fields, **common: Any) -> DatasetSpec:
    return DatasetSpec(
        **common,
        images_per_class=fields.numbered("images_per_class", fields.count),
        classes_per_split=fields.by_split("classes_per_split", SPLITS, fields.count),
    )


def _bi_level(fields: Fields, **common: Any) -> BiLevelSpec:
    sizes = fields.numbered("classes_per_superclass", fields.count)
    superclasses = fields.by_split("superclasses_per_split", SPLITS, fields.count)
    ranges = {split: split_range(split, superclasses) for split in SPLITS}
    return BiLevelSpec(
        **common,
        images_per_class=fields.numbered("images_per_class", fields.count),
        classes_per_split={split: sum(sizes[r.start : r.stop]) for split, r in ranges.items()},
        superclass_names=fields.numbered("superclass_names", fields.text),
        classes_per_superclass=sizes,
        superclasses_per_split=superclasses,
    )


def _hierarchical(fields: Fields, *, class_names: tuple[str, ...], **common: Any) -> HierarchicalSpec:
    def graph(name: str, nodes: Any, key: str) -> tuple[Node, ...]:
        if not isinstance(nodes, list):
            fields.fail(name, f"at {key!r} must be a list of nodes")
        return tuple(sorted(_node(Fields(node, f"{fields.where}: {key} node {n}")) for n, node in enumerate(nodes)))

    graphs = fields.by_split("split_subgraphs", SPLITS, graph)
    num_leaves = {split: sum(not node.children_ids for node in graphs[split]) for split in SPLITS}
    images = fields.by_split("images_per_class", SPLITS, fields.counts)
    split_of_class = [split for split in SPLITS for _ in range(num_leaves[split])]
    for split, leaf in zip(split_of_class, class_names, strict=False):
        if leaf not in images[split]:
            fields.fail("images_per_class", f"has no count for {leaf} in {split.upper()}")
    return HierarchicalSpec(
        **common,
        class_names=class_names,
        images_per_class=tuple(images[s][leaf] for s, leaf in zip(split_of_class, class_names, strict=False)),
        classes_per_split=num_leaves,
        graphs=graphs,
    )


def _node(fields: Fields) -> Node:
    """One node; `words` and `parents_ids` are informative only and may be absent."""
    wn_id, words = fields.text("wn_id", fields.get("wn_id")), fields.text("words", fields.data.get("words", ""))
    children = fields.texts("children_ids", fields.get("children_ids"))
    parents = fields.texts("parents_ids", fields.data.get("parents_ids", ()))
    return Node(wn_id, words, tuple(sorted(children)), tuple(sorted(parents)))


def load_spec(directory: Path) -> DatasetSpec:
    """The specification in `directory`, whose name must be that of the source.

    Raises MissingSource if there is none, UserError if it is malformed.
    """
    directory = Path(os.path.abspath(directory))
    file = directory / SPEC_FILE
    try:
        data = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise MissingSource(missing_spec(directory)) from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from error
    except RecursionError as error:
        raise UserError(f"{file}: is nested too deeply for a specification; convert the source again") from error
    except ValueError as error:
        raise UserError(f"{file}: is not valid JSON ({error}); convert the source again") from error
    spec = parse_spec(data, directory)
    if spec.name != directory.name:
        raise UserError(f"{file}: field 'name' is {spec.name!r}; the directory must be named like that")
    return spec


def save_spec(spec: DatasetSpec, directory: Path) -> None:
    """Write `dataset_spec.json` atomically into `directory`, which is created if it does not exist."""
    directory.mkdir(parents=True, exist_ok=True)
    with atomic_write(directory / SPEC_FILE) as file:
        file.write(json.dumps(spec.to_json(), indent=2).encode())


def missing_spec(directory: Path) -> str:
    """The error line for a directory without `dataset_spec.json`; mentions a legacy pickle if there is one."""
    file = directory / SPEC_FILE
    legacy = file.with_suffix(".pkl")
    if legacy.exists():
        return (
            f"{legacy}: is never opened, because a pickle can run code; to get {SPEC_FILE}, convert the source again "
            "or call load_dataset_spec(folder, convert_from_pkl=True) of the official meta_dataset.data.dataset_spec"
        )
    return f"{file}: not found; a source is a directory <records root>/<name> with {SPEC_FILE} and one file per class"
