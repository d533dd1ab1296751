"""Class names and ImageNet graphs of the converters, compared with the published specifications."""

import gzip
import json
from importlib import import_module

import pytest

from alfa_md.data.convert import ilsvrc_2012, ilsvrc_2012_v2, traffic_sign, vgg_flower
from alfa_md.data.convert_common.published_specs import PUBLISHED_SPECS, names_hash
from alfa_md.data.convert_common.random_split import SEED, flat_spec, random_split
from alfa_md.data.convert_common.wordnet import Graph, sorted_leaves
from alfa_md.data.spec import SPLITS
from tests.shared import shared_data

SORTED = ("aircraft", "cu_birds", "dtd", "fungi", "quickdraw", "vgg_flower")


@pytest.fixture(scope="module")
def published() -> dict:
    return json.loads(gzip.decompress(shared_data("meta_dataset_classes.json.gz").read_bytes()))


def in_class_order(names: dict[str, str]) -> list[str]:
    return [names[str(class_id)] for class_id in range(len(names))]


@pytest.mark.parametrize("source", SORTED)
def test_the_random_split_of_the_sorted_names_is_the_published_one(source, published):
    names = sorted(published[source]["class_names"].values())
    split = random_split(names, import_module(f"alfa_md.data.convert.{source}").SIZES)
    assert names_hash(flat_spec(source, split, dict.fromkeys(names, 1))) == PUBLISHED_SPECS[source].names


def test_mscoco_is_divided_from_the_order_of_its_own_list(published):
    """The published order is a permutation of that of the list, which is found by dividing numbers."""
    names = in_class_order(published["mscoco"]["class_names"])
    drawn = random_split([str(n) for n in range(80)], (0, 40, 40))
    order = [int(number) for split in SPLITS for number in drawn[split]]
    own = [name for _, name in sorted(zip(order, names, strict=True))]
    assert own[:4] == ["person", "bicycle", "car", "motorcycle"] and own[-1] == "toothbrush"
    spec = flat_spec("mscoco", random_split(own, (0, 40, 40)), dict.fromkeys(own, 1))
    assert names_hash(spec) == PUBLISHED_SPECS["mscoco"].names and SEED == 22


@pytest.mark.parametrize(("module", "width", "first"), [(vgg_flower, 3, 1), (traffic_sign, 2, 0)])
def test_names_that_no_archive_holds_are_those_published(module, width, first, published):
    source = module.__name__.rpartition(".")[2]
    names = [f"{n:0{width}d}.{name}" for n, name in enumerate(" ".join(module.NAMES.split()).split("; "), first)]
    assert names == sorted(published[source]["class_names"].values())


def graph_of(nodes: list[dict]) -> Graph:
    return {node["wn_id"]: set(node["children_ids"]) for node in nodes}


def test_imagenet_is_pruned_and_collapsed_to_the_published_graphs(published):
    """From the published links, joined above the roots, with a chain put into every third link and strangers beside."""
    wanted = {split: graph_of(published["ilsvrc_2012"]["split_subgraphs"][split.upper()]) for split in SPLITS}
    (top,) = set(wanted["train"]).difference(*wanted["train"].values())
    links: Graph = {node: set(children) for graph in wanted.values() for node, children in graph.items()}
    links[top] |= {ilsvrc_2012.CARNIVORE, ilsvrc_2012.DEVICE}
    for number, (parent, child) in enumerate([(p, c) for p in sorted(links) for c in sorted(links[p])][::3]):
        links[parent].remove(child)
        links[parent].add(f"chain{number}")
        links |= {f"chain{number}": {child, f"stranger{number}"}, f"stranger{number}": set()}
    classes = sorted(name for graph in wanted.values() for name in sorted_leaves(graph))
    assert ilsvrc_2012.split_graphs(links, classes) == wanted
    names = [name for split in SPLITS for name in sorted_leaves(wanted[split])]
    assert names == in_class_order(published["ilsvrc_2012"]["class_names"])
    assert sorted_leaves(ilsvrc_2012_v2.single_graph(links, classes)["train"]) == classes
    assert names_hash(flat_spec("v2", {"train": classes, "valid": [], "test": []}, dict.fromkeys(classes, 1))) == (
        PUBLISHED_SPECS["ilsvrc_2012_v2"].names
    )
