"""Synthetic test images of CIFAR-100 in its packed python archive, two of every class."""

from pathlib import Path

from tests.data.convert.cifar_files import pack, write_python

FILES, FIELDS = ("test", "meta"), ("fine_labels", "fine_label_names")


def write(folder: Path) -> Path:
    return pack(write_python(folder / "cifar-100-python", FILES, FIELDS, num_classes=100), "cifar-100-python.tar.gz")
