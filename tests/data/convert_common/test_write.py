"""Writing of a plan: resuming after an interruption, and protection of other data."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from alfa_md.data.convert_common.plan import Plan, Skipped
from alfa_md.data.convert_common.write import write_source
from alfa_md.data.spec import DatasetSpec, load_spec
from alfa_md.data.tfrecord.records import decode_example, read_records, scan_offsets
from alfa_md.errors import UserError

SPEC = DatasetSpec(
    name="letters",
    class_names=("a", "b", "c"),
    images_per_class=(2, 3, 4),
    classes_per_split={"train": 1, "valid": 1, "test": 1},
)


class Images:
    """Stands for a source; remembers which classes were asked for and fails at `broken`."""

    def __init__(self, broken: int | None = None, skips: int | None = None) -> None:
        self.broken = broken
        self.skips = skips
        self.asked: list[int] = []

    def __call__(self, class_id: int) -> list[bytes | Skipped]:
        self.asked.append(class_id)
        if class_id == self.broken:
            raise UserError("broken image")
        images: list[bytes | Skipped] = [b"%d-%d" % (class_id, n) for n in range(SPEC.images_per_class[class_id])]
        if class_id == self.skips:
            images[1] = Skipped(f"{class_id}-1.jpg", "is not a readable image")
        return images


def write(spec: DatasetSpec, root: Path, images) -> Path:
    return write_source(Plan(spec, images), root)


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """A records root in which the conversion stopped at the smallest class, which is the last to be written."""
    with pytest.raises(UserError, match="broken image"):
        write(SPEC, tmp_path, Images(broken=0))
    return tmp_path


def contents(file: Path) -> list[tuple[bytes, int | None]]:
    offsets = scan_offsets(file)
    return [decode_example(record, str(file)) for record in read_records(file, offsets, range(len(offsets) - 1))]


def snapshot(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def test_writes_every_class_and_the_specification(tmp_path: Path):
    directory = write(SPEC, tmp_path / "new" / "root", Images())
    assert load_spec(directory) == SPEC
    assert contents(directory / "1.tfrecords") == [(b"1-0", 1), (b"1-1", 1), (b"1-2", 1)]
    assert set(snapshot(directory)) == {"0.tfrecords", "1.tfrecords", "2.tfrecords", "dataset_spec.json"}


def test_interrupted_conversion_resumes_with_the_missing_classes(interrupted: Path):
    assert not (interrupted / "letters" / "dataset_spec.json").exists()
    images = Images()
    assert load_spec(write(SPEC, interrupted, images)) == SPEC
    assert images.asked == [0]


def test_damaged_and_short_class_files_are_written_again(tmp_path: Path):
    directory = write(SPEC, tmp_path, Images())
    whole = snapshot(directory)
    first, second = directory / "0.tfrecords", directory / "1.tfrecords"
    first.write_bytes(first.read_bytes()[:-1])
    second.write_bytes(second.read_bytes()[: scan_offsets(second)[2]])
    images = Images()
    write(SPEC, tmp_path, images)
    assert images.asked == [1, 0]
    assert snapshot(directory) == whole


def test_another_finished_source_is_not_overwritten(tmp_path: Path):
    before = snapshot(write(SPEC, tmp_path, Images()))
    with pytest.raises(UserError, match="letters: holds another letters with other classes or images"):
        write(replace(SPEC, class_names=("a", "b", "d")), tmp_path, Images())
    assert snapshot(tmp_path / "letters") == before


def test_another_unfinished_source_is_not_overwritten(interrupted: Path):
    before = snapshot(interrupted / "letters")
    with pytest.raises(UserError, match="letters: holds the unfinished conversion of another letters"):
        write(replace(SPEC, images_per_class=(2, 3, 5)), interrupted, Images())
    assert snapshot(interrupted / "letters") == before


def test_directory_with_unknown_files_is_not_overwritten(tmp_path: Path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "0.tfrecords").write_bytes(b"whose?")
    with pytest.raises(UserError, match="letters: is not empty and has no dataset_spec.json"):
        write(SPEC, tmp_path, Images())
    assert snapshot(tmp_path / "letters") == {"0.tfrecords": b"whose?"}


def test_records_root_that_is_a_file_is_named(tmp_path: Path):
    (tmp_path / "root").write_text("not a folder")
    with pytest.raises(UserError, match="root/letters: cannot be written .* choose another records root"):
        write(SPEC, tmp_path / "root", Images())


def test_a_skipped_image_is_listed_and_counted_out(tmp_path: Path):
    directory = write(SPEC, tmp_path, Images(skips=1))
    spec = load_spec(directory)
    assert spec.images_per_class == (2, 2, 4)
    assert contents(directory / "1.tfrecords") == [(b"1-0", 1), (b"1-2", 1)]
    assert json.loads((directory / "skipped.json").read_text()) == {"1": [["1-1.jpg", "is not a readable image"]]}
    again = Images(skips=1)
    assert load_spec(write(SPEC, tmp_path, again)) == spec
    assert again.asked == []


def test_a_skipped_image_that_becomes_readable_is_written(tmp_path: Path):
    directory = write(SPEC, tmp_path, Images(skips=1))
    (directory / "1.tfrecords").unlink()
    assert load_spec(write(SPEC, tmp_path, Images())) == SPEC
    assert not (directory / "skipped.json").exists()


def test_originals_that_have_lost_an_image_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match="c: 4 images came of 5; run again, the originals have changed"):
        write(replace(SPEC, images_per_class=(2, 3, 5)), tmp_path, Images())
    assert not (tmp_path / "letters" / "2.tfrecords").exists()


def test_a_limit_takes_the_first_images_of_every_class(tmp_path: Path):
    directory = write_source(Plan(SPEC, Images()).limited(3), tmp_path)
    assert load_spec(directory).images_per_class == (2, 3, 3)
    assert contents(directory / "2.tfrecords") == [(b"2-0", 2), (b"2-1", 2), (b"2-2", 2)]
    with pytest.raises(UserError, match="holds another letters with other classes or images"):
        write(SPEC, tmp_path, Images())


def test_processes_write_what_one_process_writes(tmp_path: Path):
    alone = write(SPEC, tmp_path / "alone", Images(skips=2))
    together = write_source(Plan(SPEC, Images(skips=2)), tmp_path / "together", workers=2)
    assert snapshot(alone) == snapshot(together)


def test_extra_files_are_written(tmp_path: Path):
    plan = Plan(SPEC, Images(skips=0), lambda spec: {"sizes.json": json.dumps(spec.images_per_class).encode()})
    assert (write_source(plan, tmp_path) / "sizes.json").read_text() == "[1, 3, 4]"


def test_temporary_files_of_dead_processes_are_removed_and_of_live_ones_kept(interrupted: Path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    names = [f".0.tfrecords.{process}.1.tmp" for process in (dead.pid, os.getpid())]
    for name in names:
        (interrupted / "letters" / name).write_bytes(b"half")
    write(SPEC, interrupted, Images())
    assert [(interrupted / "letters" / name).exists() for name in names] == [False, True]


def test_a_killed_worker_ends_the_conversion_with_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="a worker process was killed"):
        write_source(Plan(SPEC, die), tmp_path, workers=2)


def die(class_id: int) -> list[bytes]:
    os.kill(os.getpid(), signal.SIGKILL)
    return []
