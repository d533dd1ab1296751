"""Converter of CIFAR-10: ten kinds of things, all in the test split.

Reads the test images of `cifar-10-python.tar.gz` or `cifar-10-binary.tar.gz`, packed or unpacked, in the source
folder; this may be the unpacked folder itself. The training images are left out, as in the published tables
(`alfa_md/data/convert_common/array_images.py`).
References: Krizhevsky, "Learning multiple layers of features from tiny images", 2009; as a source of few-shot episodes
Requeima et al., NeurIPS 2019.
"""

from pathlib import Path

from alfa_md.data.convert_common.cifar_archives import BinaryForm, CifarArchive, CifarTestSet, PickledForm, plan_cifar
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.images.packed_folder import PackedFolder

PYTHON = PackedFolder("cifar-10-batches-py", "cifar-10-python.tar.gz")
BINARY = PackedFolder("cifar-10-batches-bin", "cifar-10-binary.tar.gz")
ARCHIVES = (
    CifarArchive(PYTHON, "test_batch", "batches.meta", PickledForm("labels", "label_names")),
    CifarArchive(BINARY, "test_batch.bin", "batches.meta.txt", BinaryForm(num_labels=1)),
)


def plan(source_dir: Path) -> Plan:
    """The plan of the ten classes. Raises UserError naming missing or damaged files."""
    return plan_cifar("cifar10", CifarTestSet(ARCHIVES, num_classes=10), source_dir)
