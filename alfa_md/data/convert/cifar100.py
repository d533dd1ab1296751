"""Converter of CIFAR-100: a hundred kinds of things, all in the test split.

Reads the test images of `cifar-100-python.tar.gz` or `cifar-100-binary.tar.gz`, packed or unpacked, in the source
folder; this may be the unpacked folder itself. The classes are the fine ones. The training images are left out,
as in the published tables (`alfa_md/data/convert_common/array_images.py`).
References: Krizhevsky, "Learning multiple layers of features from tiny images", 2009; as a source of few-shot episodes
Requeima et al., NeurIPS 2019.
"""

from pathlib import Path

from alfa_md.data.convert_common.cifar_archives import BinaryForm, CifarArchive, CifarTestSet, PickledForm, plan_cifar
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.images.cifar100 import ARCHIVE as PYTHON
from alfa_md.data.images.packed_folder import PackedFolder

BINARY = PackedFolder("cifar-100-binary", "cifar-100-binary.tar.gz")
ARCHIVES = (
    CifarArchive(PYTHON, "test", "meta", PickledForm("fine_labels", "fine_label_names")),
    CifarArchive(BINARY, "test.bin", "fine_label_names.txt", BinaryForm(num_labels=2)),
)


def plan(source_dir: Path) -> Plan:
    """The plan of the hundred classes. Raises UserError naming missing or damaged files."""
    return plan_cifar("cifar100", CifarTestSet(ARCHIVES, num_classes=100), source_dir)
