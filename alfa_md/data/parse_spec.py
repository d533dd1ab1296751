"""Parsing of specifications in the form of `dataset_spec.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alfa_md.data.fields import REMEDY, Fields, short_repr
from alfa_md.data.layouts import FILE_PATTERN, Shards
from alfa_md.data.spec_kinds import (
    SPLITS,
    BiLevelSpec,
    DatasetSpec,
    HierarchicalSpec,
    Node,
    spec_label,
    split_range,
)


def parse_spec(data: Mapping[str, Any], path: Path | None = None, shards: Shards | None = None) -> DatasetSpec:
    """The specification for the content of a `dataset_spec.json`, of records in the folder `path`, or in `shards`.

    Raises UserError naming an invalid field.
    """
    fields = Fields(data, spec_label(path, shards=shards), shards.remedy if shards else REMEDY)
    if (pattern := data.get("file_pattern", FILE_PATTERN)) != FILE_PATTERN:
        fields.fail(
            "file_pattern", f"must be {FILE_PATTERN!r}, not {short_repr(pattern)} (pools and shards are not supported)"
        )
    parsers = {DatasetSpec.kind: _flat, BiLevelSpec.kind: _bi_level, HierarchicalSpec.kind: _hierarchical}
    kind = fields.text("__class__", fields.get("__class__"))
    if kind not in parsers:
        fields.fail("__class__", f"must be one of {', '.join(parsers)}, not {short_repr(kind)}")
    name = fields.text("name", fields.get("name"))
    names = fields.numbered("class_names", fields.text)
    return parsers[kind](fields, name=name, class_names=names, path=path, shards=shards)


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
