"""ImageNet (ILSVRC-2012) with all 1000 classes for training, as the second protocol of Meta-Dataset has it.

The original files are those of `ilsvrc_2012`; validation and test splits are empty, and the graph is one.
Reference: Dumoulin et al., "Comparing transfer and meta learning approaches on a unified few-shot classification
benchmark", NeurIPS 2021 (MD-v2).
"""

from pathlib import Path

from alfa_md.data.convert.ilsvrc_2012 import plan_of
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.convert_common.wordnet import Graph, collapsed, spanning


def plan(source_dir: Path) -> Plan:
    """1000 training classes. Raises UserError naming what is missing."""
    return plan_of("ilsvrc_2012_v2", source_dir, one_split)


def one_split(links: Graph, classes: list[str]) -> dict[str, Graph]:
    """All classes and all their ancestors."""
    return {"train": collapsed(spanning(links, classes)), "valid": {}, "test": {}}
