"""Damage to a folder with `records` and a run directory `run`, applied before a command runs."""

import json
import os
import pickle
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import torch

from alfa_md.data.tfrecord.records import encode_example, scan_offsets, write_records
from alfa_md.system.lock import lock_or_refuse
from tests.entries.harness import IMAGES, shade
from tests.spliced_jpegs import spliced

Damage = Callable[[Path], object]  # what it returns is kept alive while the entry runs
TRAINED = "ilsvrc_2012"  # the source of the training episodes
SPEC = f"records/{TRAINED}/dataset_spec.json"
BEST, LAST = "run/checkpoints/best.pt", "run/checkpoints/last.pt"
RESULTS = "run/results/test.json"


def nothing(folder: Path) -> None:
    """No damage, for tests of flags."""


def removed(file: str) -> Damage:
    return lambda folder: (folder / file).unlink()


def replaced(file: str, old: str, new: str) -> Damage:
    """Replaces a part of a text file, or all of it if `old` is empty."""

    def damage(folder: Path) -> None:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new) if old else new)

    return damage


def cut(file: str, kept: float) -> Damage:
    """Truncates a file to a fraction of its size."""

    def damage(folder: Path) -> None:
        data = (folder / file).read_bytes()
        (folder / file).write_bytes(data[: int(len(data) * kept)])

    return damage


def flipped(file: str, place: float) -> Damage:
    """Flips a bit of a checkpoint at a relative position in its largest tensor; padding would not matter."""

    def damage(folder: Path) -> None:
        data = bytearray((folder / file).read_bytes())
        with ZipFile(folder / file) as archive:
            tensor = max((archive.read(name) for name in archive.namelist() if "/data/" in name), key=len)
        data[data.index(tensor) + int(len(tensor) * place)] ^= 4
        (folder / file).write_bytes(data)

    return damage


def deflated(file: str) -> Damage:
    """Writes a checkpoint anew with compressed parts."""

    def damage(folder: Path) -> None:
        with ZipFile(folder / file) as archive:
            content = {name: archive.read(name) for name in archive.namelist()}
        with ZipFile(folder / file, "w", ZIP_DEFLATED) as archive:
            for name, data in content.items():
                archive.writestr(name, data)

    return damage


def legacy(pattern: str) -> Damage:
    """Replaces specifications by pickled ones, as in old versions; unpickling them would leave a trace."""

    def damage(folder: Path) -> None:
        for file in (folder / "records").glob(pattern):
            file.with_suffix(".pkl").write_bytes(pickle.dumps(Trap(folder / "trace")))
            file.unlink()

    return damage


def class_files(change: Callable[[Path], object]) -> Damage:
    """Applies a change to every class file of the training source."""

    def damage(folder: Path) -> None:
        for file in (folder / "records" / TRAINED).glob("*.tfrecords"):
            change(file)

    return damage


def every_record(part: str) -> Damage:
    """Flips a bit of every record: in its length, its data, or the checksum of either."""

    def change(file: Path) -> None:
        data = bytearray(file.read_bytes())
        for start, end in pairwise(scan_offsets(file).tolist()):
            data[{"length": start, "length's checksum": start + 8, "data": start + 20, "checksum": end - 1}[part]] ^= 4
        file.write_bytes(data)

    return class_files(change)


def payloads(payload: bytes, number: int = IMAGES) -> Damage:
    """Replaces class files by ones with `number` equal records."""
    return class_files(lambda file: write_records(file, [payload] * number))


def images(image: bytes, number: int = IMAGES) -> Damage:
    return payloads(encode_example(image, 0), number)


def claiming(width: int, height: int) -> bytes:
    """A tiny PNG whose header claims this image size."""
    picture = shade(0, 0)
    return picture[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + picture[24:]


UNUSUAL_JPEG = spliced(8, [(3, 1), (1, 1), (1, 1)])


def emptied(folder: Path) -> None:
    """Removes all sources from the records root."""
    (folder / "records").rename(folder / "moved")
    (folder / "records").mkdir()


def trapped(folder: Path) -> None:
    """Replaces a checkpoint by one that runs code when unpickled."""
    torch.save({"learner": Trap(folder / "trace"), "step": 2}, folder / BEST)


def swapped(first: int, second: int) -> Damage:
    """Swaps two class files of the training source: other data under the same specification."""

    def damage(folder: Path) -> None:
        one, other = (folder / "records" / TRAINED / f"{number}.tfrecords" for number in (first, second))
        one.rename(folder / "kept")
        other.rename(one)
        (folder / "kept").rename(other)

    return damage


def changed_state(change: Callable[[dict], object]) -> Damage:
    """Changes parts of the last checkpoint, whose outer form stays right."""

    def damage(folder: Path) -> None:
        content = torch.load(folder / LAST, weights_only=True)
        change(content)
        torch.save(content, folder / LAST)

    return damage


def diverged(folder: Path) -> None:
    """Puts a NaN into a weight of a checkpoint."""
    content = torch.load(folder / BEST, weights_only=True)
    next(iter(content["learner"].values()))[0, 0, 0, 0] = float("nan")
    torch.save(content, folder / BEST)


def changed_record(**parts: object) -> Damage:
    """Replaces parts of the record of omniglot in the results file."""

    def damage(folder: Path) -> None:
        file = folder / RESULTS
        content = json.loads(file.read_text())
        content["sources"]["omniglot"] |= parts
        file.write_text(json.dumps(content))

    return damage


def official(folder: Path) -> None:
    """Two TensorFlow checkpoints in a folder, the newer one with 4 updates; names are all that is looked at."""
    (folder / "tf").mkdir()
    for updates in (2, 4):
        for end in ("index", "data-00000-of-00001", "meta"):
            (folder / "tf" / f"model_{updates}.ckpt.{end}").write_bytes(b"")
    os.utime(folder / "tf" / "model_2.ckpt.index", (0, 0))


def held(folder: Path) -> object:
    """Locks the run directory."""
    lock = lock_or_refuse(folder / "run" / ".lock", "held already")
    lock.__enter__()
    return lock


class Trap:
    """Creates a folder when it is unpickled."""

    def __init__(self, trace: Path):
        self.trace = str(trace)

    def __reduce__(self):
        return os.mkdir, (self.trace,)
