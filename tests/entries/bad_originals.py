"""Bad original files of the sources that are read from archives, one fault per row."""

import pickle
from pathlib import Path

from tests.data.convert.originals import cifar10, cifar100, mnist
from tests.entries import damage as d
from tests.entries.bad_input import BadInput


def convert(source: str, what: str, line: str, damage: d.Damage) -> BadInput:
    return BadInput(what, "convert", (source, "--source_dir=own", "--records_root_dir=new"), line, damage)


def cut_digits(folder: Path) -> None:
    file = mnist.write(folder / "own") / "t10k-labels-idx1-ubyte"
    file.write_bytes(file.read_bytes()[:-3])


def packed_digits(folder: Path) -> None:
    file = mnist.write(folder / "own") / "t10k-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-20])


def trapped_things(folder: Path) -> None:
    file = cifar10.write(folder / "own") / "cifar-10-batches-py" / "test_batch"
    file.write_bytes(pickle.dumps(d.Trap(folder / "trace")))


def cut_archive(folder: Path) -> None:
    file = cifar100.write(folder / "own") / "cifar-100-python.tar.gz"
    file.write_bytes(file.read_bytes()[:1000])


SECTIONS: dict[str, tuple[BadInput, ...]] = {
    "Original files of test sets": (
        convert(
            "mnist",
            "labels of digits cut off",
            "^own/t10k-labels-idx1-ubyte: claims 20 values, but has 17 bytes; download the file again",
            cut_digits,
        ),
        convert(
            "mnist",
            "packed digits cut off",
            "^own/t10k-images-idx3-ubyte.gz: cannot be read .*; download the file again",
            packed_digits,
        ),
        convert(
            "cifar10",
            "no archive of CIFAR-10",
            "^records: has neither archive; download cifar-10-python.tar.gz or cifar-10-binary.tar.gz there",
            d.nothing,
        )._replace(flags=("cifar10", "--source_dir=records", "--records_root_dir=new")),
        convert(
            "cifar10",
            "a pickle of images that would run code",
            "^own/cifar-10-batches-py/test_batch: asks for posix.mkdir, which is not plain data and was not run",
            trapped_things,
        ),
        convert(
            "cifar100",
            "an archive cut off",
            "^own/cifar-100-python.tar.gz: .*; download (it|cifar-100-python.tar.gz) again",
            cut_archive,
        ),
    ),
}
