"""Data set specifications: classes, splits and image counts of a Meta-Dataset source, in three kinds.

Class ids are contiguous: first the training classes, then validation, then test. The kinds are flat, bi-level
(Omniglot: alphabets of characters) and hierarchical (ImageNet: a graph of WordNet nodes for each split).
Reference: Triantafillou et al., "Meta-Dataset", ICLR 2020 (arXiv:1903.03096), and its published specifications.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, NoReturn

from alfa_md.data.fields import raise_malformed
from alfa_md.data.layouts import FILE_PATTERN, METADATA_FILE, SPEC_FILE, ClassFiles, Layout, Shards
from alfa_md.errors import UserError

SPLITS = ("train", "valid", "test")


class Node(NamedTuple):
    """One WordNet synset in the graph of a split; a node without children is a leaf, that is a class."""

    wn_id: str
    words: str
    children_ids: tuple[str, ...]
    parents_ids: tuple[str, ...]


@dataclass(frozen=True)
class DatasetSpec:
    """Flat specification: classes without hierarchy; names and image counts are indexed by class id.

    Raises UserError if the fields contradict each other.
    """

    name: str
    class_names: tuple[str, ...]
    images_per_class: tuple[int, ...]
    classes_per_split: Mapping[str, int]
    path: Path | None = field(default=None, compare=False)  # the location is not part of the content
    shards: Shards | None = field(default=None, compare=False)  # instead of one file for each class

    kind: ClassVar[str] = "DatasetSpecification"

    def __post_init__(self) -> None:
        num_classes = sum(self.classes_per_split[split] for split in SPLITS)
        for name in ("class_names", "images_per_class"):
            self._check_length(name, num_classes, "classes")

    def classes(self, split: str) -> range:
        """The class ids of `split`."""
        return split_range(split, self.classes_per_split)

    @property
    def layout(self) -> Layout:
        """The places of the records."""
        if self.path is None:
            raise ValueError(f"the specification of {self.name} was not read from a directory")
        return self.shards or ClassFiles(self.path, self.images_per_class)

    def class_file(self, class_id: int) -> Path:
        """The record file of a class; its name is the class id, for WordNet classes too. Not of a source in shards."""
        if self.shards:
            raise ValueError(f"{self.name} is in shards")
        return self.layout.file(class_id)

    def to_json(self) -> dict[str, Any]:
        """The content of `dataset_spec.json`; integer keys become strings."""
        return {
            "name": self.name,
            **self._structure(),
            "images_per_class": self._images(),
            "class_names": _numbered(self.class_names),
            "path": self.name,  # a placeholder: readers use the directory of the file instead
            "file_pattern": FILE_PATTERN,
            "__class__": self.kind,
        }

    def _structure(self) -> dict[str, Any]:
        return {"classes_per_split": _by_split(self.classes_per_split)}

    def _images(self) -> dict[str, Any]:
        return _numbered(self.images_per_class)

    def _check_length(self, name: str, length: int, things: str) -> None:
        if len(getattr(self, name)) != length:
            self._fail(name, f"has {len(getattr(self, name))} entries, but the splits hold {length} {things}")

    def _fail(self, name: str, problem: str) -> NoReturn:
        raise_malformed(spec_label(self.path, self.name, self.shards), name, problem)


@dataclass(frozen=True, kw_only=True)
class BiLevelSpec(DatasetSpec):
    """Bi-level specification: classes grouped into superclasses, both contiguous in split order."""

    superclass_names: tuple[str, ...]
    classes_per_superclass: tuple[int, ...]
    superclasses_per_split: Mapping[str, int]

    kind: ClassVar[str] = "BiLevelDatasetSpecification"

    def __post_init__(self) -> None:
        num_superclasses = sum(self.superclasses_per_split[split] for split in SPLITS)
        for name in ("superclass_names", "classes_per_superclass"):
            self._check_length(name, num_superclasses, "superclasses")
        for split in SPLITS:
            if sum(self.classes_per_superclass[s] for s in self.superclasses(split)) != self.classes_per_split[split]:
                self._fail("classes_per_superclass", f"does not add up to the number of {split} classes")
        super().__post_init__()

    def superclasses(self, split: str) -> range:
        """The superclass ids of `split`."""
        return split_range(split, self.superclasses_per_split)

    def classes_of(self, superclass: int) -> range:
        """The class ids of a superclass."""
        start = sum(self.classes_per_superclass[:superclass])
        return range(start, start + self.classes_per_superclass[superclass])

    def _structure(self) -> dict[str, Any]:
        return {
            "superclasses_per_split": _by_split(self.superclasses_per_split),
            "classes_per_superclass": _numbered(self.classes_per_superclass),
            "superclass_names": _numbered(self.superclass_names),
        }


@dataclass(frozen=True, kw_only=True)
class HierarchicalSpec(DatasetSpec):
    """Hierarchical specification: classes are the leaves of one acyclic graph per split, named by WordNet ids."""

    graphs: Mapping[str, tuple[Node, ...]]

    kind: ClassVar[str] = "HierarchicalDatasetSpecification"

    def __post_init__(self) -> None:
        super().__post_init__()
        times = Counter(node.wn_id for split in SPLITS for node in self.graphs[split])
        if repeated := [wn_id for wn_id in times if times[wn_id] > 1]:
            self._fail("split_subgraphs", f"holds node {repeated[0]} twice")
        for split in SPLITS:
            self._check_graph(split)

    def _check_graph(self, split: str) -> None:
        nodes = self.graphs[split]
        ids = {node.wn_id for node in nodes}
        for node in nodes:
            if strangers := set(node.children_ids) - ids:
                self._fail("split_subgraphs", f"gives {node.wn_id} the child {min(strangers)}, not a {split} node")
        leaves = {node.wn_id for node in nodes if not node.children_ids}
        if different := leaves ^ {self.class_names[class_id] for class_id in self.classes(split)}:
            self._fail("class_names", f"and the leaves of the {split} graph differ in {min(different)}")
        try:
            self.spanned_leaves(split)
        except CycleError as error:
            self._fail("split_subgraphs", f"has a cycle through {error.args[1][0]} in the {split} graph")

    def spanned_leaves(self, split: str) -> dict[str, frozenset[str]]:
        """WordNet ids of the leaves below each node of a split's graph; a leaf spans itself."""
        children = {node.wn_id: node.children_ids for node in self.graphs[split]}
        leaves: dict[str, frozenset[str]] = {}
        for wn_id in TopologicalSorter(children).static_order():  # children come before their parents
            below = [leaves[child] for child in children[wn_id]]
            leaves[wn_id] = frozenset().union(*below) if below else frozenset([wn_id])
        return leaves

    def _structure(self) -> dict[str, Any]:
        return {"split_subgraphs": _by_split({s: [_node_json(n) for n in sorted(self.graphs[s])] for s in SPLITS})}

    def _images(self) -> dict[str, Any]:
        """Image counts by split and node: an inner node counts the images of the leaves that it spans."""
        images = dict(zip(self.class_names, self.images_per_class, strict=True))
        spans = {split: sorted(self.spanned_leaves(split).items()) for split in SPLITS}
        return _by_split({s: {wn_id: sum(images[leaf] for leaf in span) for wn_id, span in spans[s]} for s in SPLITS})


def _node_json(node: Node) -> dict[str, Any]:
    ordered = {"children_ids": sorted(node.children_ids), "parents_ids": sorted(node.parents_ids)}
    return {"wn_id": node.wn_id, "words": node.words, **ordered}


def spec_label(path: Path | None, name: str = "", shards: Shards | None = None) -> Path | str:
    """The name of a specification in error messages: its file, or its source."""
    if shards:
        return shards.folder / METADATA_FILE
    return path / SPEC_FILE if path else f"{SPEC_FILE}{f' of {name}' if name else ''}"


def split_range(split: str, sizes: Mapping[str, int]) -> range:
    """The ids of `split`, given the sizes of all splits. Raises UserError for an unknown split."""
    if split not in SPLITS:
        raise UserError(f"unknown split {split!r}; choose one of {', '.join(SPLITS)}")
    start = sum(sizes[earlier] for earlier in SPLITS[: SPLITS.index(split)])
    return range(start, start + sizes[split])


def _numbered(values: Iterable[Any]) -> dict[str, Any]:
    return {str(number): value for number, value in enumerate(values)}


def _by_split(values: Mapping[str, Any]) -> dict[str, Any]:
    return {split.upper(): values[split] for split in SPLITS}
