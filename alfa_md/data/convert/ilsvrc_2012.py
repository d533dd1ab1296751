"""Converter of ImageNet (ILSVRC-2012): 1000 classes, one WordNet graph per split.

Reads the class folders of `ILSVRC2012_img_train.tar`, named by WordNet id, each with its own archive unpacked inside;
`wordnet.is_a.txt` and `words.txt` of ImageNet; and the lists of images that other sources contain too,
`ImageNet_<other>_duplicates.txt`, which come with the official code. Carnivores are the validation split, devices the
test split. Listed duplicates are left out; RGB JPEG files are copied unchanged.
References: Russakovsky et al., "ImageNet large scale visual recognition challenge", IJCV 2015; splits of Triantafillou
et al., "Meta-Dataset", ICLR 2020.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.convert_common.jpeg import UnreadableImage, read_as_jpeg
from alfa_md.data.convert_common.left_out import report_names
from alfa_md.data.convert_common.originals import file_names, raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Copied, Plan, Skipped
from alfa_md.data.convert_common.wordnet import (
    Graph,
    ancestor_graph,
    collapse_single_children,
    descendants,
    read_graph,
    read_words,
    sorted_leaves,
    spec_nodes,
)
from alfa_md.data.images.image_files import visible_files
from alfa_md.data.spec import SPLITS, DatasetSpec, HierarchicalSpec
from alfa_md.errors import UserError
from alfa_md.system.text_files import read_lines

NUM_CLASSES = 1000
LINKS, WORDS = "wordnet.is_a.txt", "words.txt"
DUPLICATES = tuple(f"ImageNet_{other}_duplicates.txt" for other in ("Caltech101", "Caltech256", "CUBirds"))
REMEDY = (
    f"unpack ILSVRC2012_img_train.tar there, each class archive into a folder of its name, and put {LINKS} and {WORDS} "
    "of ImageNet and the three ImageNet_*_duplicates.txt of the official Meta-Dataset code beside them"
)
CARNIVORE, DEVICE = "n02075296", "n03183080"  # the roots of the validation and the test split
ENDINGS = (".jpeg", ".jpg", ".png")


class TrainingImages(NamedTuple):
    """The images of a class id without duplicates, sorted by name."""

    folders: list[Path]
    duplicates: frozenset[str]

    def __call__(self, class_id: int) -> Iterator[bytes | Copied | Skipped]:
        for name in self.names(class_id):
            try:
                yield read_as_jpeg(self.folders[class_id] / name)
            except UnreadableImage as error:
                yield Skipped(name, str(error))

    def names(self, class_id: int) -> list[str]:
        """File names of a class that become records."""
        return [name for name in file_names(self.folders[class_id], *ENDINGS) if name not in self.duplicates]


def plan(source_dir: Path) -> Plan:
    """The plan of 712 training, 158 validation and 130 test classes. Raises UserError naming missing files."""
    return plan_imagenet("ilsvrc_2012", source_dir, split_graphs)


def plan_imagenet(
    source: str, source_dir: Path, make_graphs: Callable[[Graph, list[str]], Mapping[str, Graph]]
) -> Plan:
    """The plan of `source`; `make_graphs` maps the WordNet graph and all classes to the graph of every split."""
    require_originals(source_dir, REMEDY, files=(LINKS, WORDS, *DUPLICATES))
    classes = sorted(path.name for path in source_dir.glob("n*") if path.name[1:].isdigit() and path.is_dir())
    if len(classes) != NUM_CLASSES:
        raise_if_any(source_dir, [f"{len(classes)} folders of classes, not {NUM_CLASSES}"], REMEDY)
    links, words = read_graph(source_dir / LINKS), read_words(source_dir / WORDS)
    raise_if_any(source_dir, [f"{name} is in no line of {LINKS}" for name in classes if name not in links], REMEDY)
    graphs = make_graphs(links, classes)
    names = tuple(name for split in SPLITS for name in sorted_leaves(graphs[split]))
    images = TrainingImages([source_dir / name for name in names], read_duplicates(source_dir))
    counts = [len(images.names(class_id)) for class_id in range(len(names))]
    raise_if_any(
        source_dir, [f"{n} has no images" for n, count in zip(names, counts, strict=True) if not count], REMEDY
    )
    spec = HierarchicalSpec(
        name=source,
        class_names=names,
        images_per_class=tuple(counts),
        classes_per_split={split: len(sorted_leaves(graphs[split])) for split in SPLITS},
        graphs={split: spec_nodes(graphs[split], words) for split in SPLITS},
    )
    return Plan(spec, images, leaf_count_file, report_left_out(images))


def split_graphs(links: Graph, classes: list[str]) -> dict[str, Graph]:
    """Graphs of carnivores (valid), devices (test) and all other classes (train), each with their ancestors.

    Ancestors of carnivores and devices stop at these roots. Raises UserError if a class is both.
    """
    full = collapse_single_children(ancestor_graph(links, classes))
    held_out = {"valid": descendants(full, CARNIVORE), "test": descendants(full, DEVICE)}
    if both := held_out["valid"] & held_out["test"] & set(classes):
        raise UserError(f"{LINKS}: {min(both)} is below {CARNIVORE} and {DEVICE}; download the file again")
    rest = set(classes) - held_out["valid"] - held_out["test"]
    graphs = {split: ancestor_graph(full, set(classes) & inside, inside) for split, inside in held_out.items()}
    graphs["train"] = ancestor_graph(full, rest)
    return {split: collapse_single_children(graphs[split]) for split in SPLITS}


def report_left_out(images: TrainingImages) -> tuple[str, ...]:
    """The lines of the report on duplicates and on files of other formats."""
    duplicates, others = [], []
    for class_id, folder in enumerate(images.folders):
        names = sorted(visible_files(folder))
        duplicates += [name for name in names if name in images.duplicates]
        taken = {*images.names(class_id), *images.duplicates}
        others += [f"{folder.name}/{name}" for name in names if name not in taken]
    return (
        *report_names("images left out, listed as duplicates of other data sets", duplicates),
        *report_names("files of class folders left out, of other formats or in further folders", others),
    )


def read_duplicates(source_dir: Path) -> frozenset[str]:
    """File names in the three lists of duplicates; a line is `<folder>/<file>  # <the same image elsewhere>`."""
    lines = (line for name in DUPLICATES for line in read_lines(source_dir / name, REMEDY))
    return frozenset(Path(path).name for path in (line.partition("#")[0].strip() for line in lines) if path)


def leaf_count_file(spec: DatasetSpec) -> dict[str, bytes]:
    """The extra file `num_leaf_images.json`: image counts by class name."""
    counts = dict(zip(spec.class_names, spec.images_per_class, strict=True))
    return {"num_leaf_images.json": json.dumps(counts, indent=2).encode()}
