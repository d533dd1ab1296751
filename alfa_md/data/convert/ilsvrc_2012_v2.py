"""Converter of ImageNet (ILSVRC-2012) with all 1000 classes for training, the protocol of Meta-Dataset v2.

Reads the original files of `ilsvrc_2012`; there is a single graph, and validation and test splits are empty.
Reference: Dumoulin et al., "Comparing transfer and meta learning approaches on a unified few-shot classification
benchmark", NeurIPS 2021 (MD-v2).
"""

from pathlib import Path

from alfa_md.data.convert.ilsvrc_2012 import plan_imagenet
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.convert_common.wordnet import Graph, ancestor_graph, collapse_single_children


def plan(source_dir: Path) -> Plan:
    """The plan of 1000 training classes. Raises UserError naming missing files."""
    return plan_imagenet("ilsvrc_2012_v2", source_dir, single_graph)


def single_graph(links: Graph, classes: list[str]) -> dict[str, Graph]:
    """One training graph of all classes and their ancestors."""
    return {"train": collapse_single_children(ancestor_graph(links, classes)), "valid": {}, "test": {}}
