"""Published and small specifications for tests, and helpers of the sampling tests."""

import functools
import gzip
import hashlib
import json

import numpy as np

from alfa_md.data.spec import BiLevelSpec, DatasetSpec, HierarchicalSpec, Node, parse_spec
from tests.shared import shared_data

# The seed of the first sampler that the original code builds when its module generator is seeded by 2020.
SEED = 4236026720


@functools.cache
def published(source):
    with gzip.open(shared_data("meta_dataset_classes.json.gz")) as file:
        return parse_spec(json.load(file)[source])


def digest(value):
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()[:16]


def draw(sampler, episodes, seed=SEED):
    rng = np.random.RandomState(seed)
    return [sampler.sample(rng) for _ in range(episodes)]


def chi_square(observed, expected):
    """Pearson's statistic of counts that are equally likely."""
    return ((np.asarray(observed) - expected) ** 2 / expected).sum()


def flat(*images):
    """A test split of classes with so many images."""
    classes = {"train": 0, "valid": 0, "test": len(images)}
    return DatasetSpec("flat", tuple(f"class{number}" for number in range(len(images))), images, classes)


def bi_level(*sizes, images=20):
    """A test split of superclasses with so many classes, after a training split of one superclass of 3 classes."""
    names = tuple(f"character{number}" for number in range(3 + sum(sizes)))
    return BiLevelSpec(
        "letters",
        names,
        (images,) * len(names),
        {"train": 3, "valid": 0, "test": sum(sizes)},
        superclass_names=tuple(f"alphabet{number}" for number in range(1 + len(sizes))),
        classes_per_superclass=(3, *sizes),
        superclasses_per_split={"train": 1, "valid": 0, "test": len(sizes)},
    )


def dag(children, images=20):
    """A test split whose graph has these children by inner node; class ids run against the order of node names."""
    leaves = sorted({leaf for below in children.values() for leaf in below} - set(children), reverse=True)
    graph = [Node(name, "", tuple(below), ()) for name, below in children.items()]
    graph += [Node(leaf, "", (), ()) for leaf in leaves]
    classes = {"train": 0, "valid": 0, "test": len(leaves)}
    graphs = {"train": (), "valid": (), "test": tuple(graph)}
    return HierarchicalSpec("nouns", tuple(leaves), (images,) * len(leaves), classes, graphs=graphs)
