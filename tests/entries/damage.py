"""What can be done to a folder with `records` and a run directory `run` before an entry works on it."""

import os
import pickle
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import torch

from alfa_md.data.tfrecord.records import encode_example, scan_offsets, write_records
from alfa_md.system.lock import lock_or_refuse
from tests.entries.harness import IMAGES, shade

Damage = Callable[[Path], object]  # what it returns is kept alive while the entry runs
TRAINED = "ilsvrc_2012"  # the source of the training episodes
SPEC = f"records/{TRAINED}/dataset_spec.json"
BEST = "run/checkpoints/best.pt"


def nothing(folder: Path) -> None:
    """The input is whole; the flags are not."""


def removed(file: str) -> Damage:
    return lambda folder: (folder / file).unlink()


def replaced(file: str, old: str, new: str) -> Damage:
    """Part of a text file replaced; all of it where `old` is empty."""

    def damage(folder: Path) -> None:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new) if old else new)

    return damage


def cut(file: str, kept: float) -> Damage:
    """A file of which a share is left."""

    def damage(folder: Path) -> None:
        data = (folder / file).read_bytes()
        (folder / file).write_bytes(data[: int(len(data) * kept)])

    return damage


def flipped(file: str, place: float) -> Damage:
    """A checkpoint with a bit changed at a share of its largest tensor; between tensors it would do no harm."""

    def damage(folder: Path) -> None:
        data = bytearray((folder / file).read_bytes())
        with ZipFile(folder / file) as archive:
            tensor = max((archive.read(name) for name in archive.namelist() if "/data/" in name), key=len)
        data[data.index(tensor) + int(len(tensor) * place)] ^= 4
        (folder / file).write_bytes(data)

    return damage


def legacy(pattern: str) -> Damage:
    """Specifications in the form of old, pickled; unpickling them would leave a trace."""

    def damage(folder: Path) -> None:
        for file in (folder / "records").glob(pattern):
            file.with_suffix(".pkl").write_bytes(pickle.dumps(Trap(folder / "trace")))
            file.unlink()

    return damage


def class_files(change: Callable[[Path], object]) -> Damage:
    """A change to every class file of the training source, whichever an episode draws."""

    def damage(folder: Path) -> None:
        for file in (folder / "records" / TRAINED).glob("*.tfrecords"):
            change(file)

    return damage


def every_record(part: str) -> Damage:
    """A bit of every record changed: in its length, the checksum of that, its data, or the checksum of that."""

    def change(file: Path) -> None:
        data = bytearray(file.read_bytes())
        for start, end in pairwise(scan_offsets(file).tolist()):
            data[{"length": start, "length's checksum": start + 8, "data": start + 20, "checksum": end - 1}[part]] ^= 4
        file.write_bytes(data)

    return class_files(change)


def payloads(payload: bytes, number: int = IMAGES) -> Damage:
    """Class files of so many equal records."""
    return class_files(lambda file: write_records(file, [payload] * number))


def images(image: bytes, number: int = IMAGES) -> Damage:
    return payloads(encode_example(image, 0), number)


def claiming(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes whose header claims this size."""
    picture = shade(0, 0)
    return picture[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + picture[24:]


def emptied(folder: Path) -> None:
    """A records root without a source."""
    (folder / "records").rename(folder / "moved")
    (folder / "records").mkdir()


def trapped(folder: Path) -> None:
    """A checkpoint that runs code where it is unpickled."""
    torch.save({"learner": Trap(folder / "trace"), "step": 2}, folder / BEST)


def held(folder: Path) -> object:
    """The run directory is in use."""
    lock = lock_or_refuse(folder / "run" / ".lock", "held already")
    lock.__enter__()
    return lock


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, trace: Path):
        self.trace = str(trace)

    def __reduce__(self):
        return os.mkdir, (self.trace,)
