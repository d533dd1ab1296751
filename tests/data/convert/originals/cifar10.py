"""Synthetic test images of CIFAR-10 in its unpacked python archive, two of every class."""

from pathlib import Path

from tests.data.convert.cifar_files import write_python

FILES, FIELDS = ("test_batch", "batches.meta"), ("labels", "label_names")


def write(folder: Path) -> Path:
    return write_python(folder / "cifar-10-batches-py", FILES, FIELDS, num_classes=10).parent
