"""What all converters share: going on after an interruption, and never writing over other data."""

from dataclasses import replace
from pathlib import Path

import pytest

from alfa_md.data.conversion import write_source
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

    def __init__(self, broken: int | None = None) -> None:
        self.broken = broken
        self.asked: list[int] = []

    def __call__(self, class_id: int) -> list[bytes]:
        self.asked.append(class_id)
        if class_id == self.broken:
            raise UserError("broken image")
        return [b"%d-%d" % (class_id, number) for number in range(SPEC.images_per_class[class_id])]


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """A records root in which the conversion stopped at the last class."""
    with pytest.raises(UserError, match="broken image"):
        write_source(SPEC, tmp_path, Images(broken=2))
    return tmp_path


def contents(file: Path) -> list[tuple[bytes, int | None]]:
    offsets = scan_offsets(file)
    return [decode_example(record, str(file)) for record in read_records(file, offsets, range(len(offsets) - 1))]


def snapshot(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def test_writes_every_class_and_the_specification(tmp_path: Path):
    directory = write_source(SPEC, tmp_path / "new" / "root", Images())
    assert load_spec(directory) == SPEC
    assert contents(directory / "1.tfrecords") == [(b"1-0", 1), (b"1-1", 1), (b"1-2", 1)]
    assert set(snapshot(directory)) == {"0.tfrecords", "1.tfrecords", "2.tfrecords", "dataset_spec.json"}


def test_interrupted_conversion_goes_on_with_the_missing_classes(interrupted: Path):
    assert not (interrupted / "letters" / "dataset_spec.json").exists()
    images = Images()
    assert load_spec(write_source(SPEC, interrupted, images)) == SPEC
    assert images.asked == [2]


def test_damaged_and_short_class_files_are_written_again(tmp_path: Path):
    directory = write_source(SPEC, tmp_path, Images())
    whole = snapshot(directory)
    first, second = directory / "0.tfrecords", directory / "1.tfrecords"
    first.write_bytes(first.read_bytes()[:-1])
    second.write_bytes(second.read_bytes()[: scan_offsets(second)[2]])
    images = Images()
    write_source(SPEC, tmp_path, images)
    assert images.asked == [0, 1]
    assert snapshot(directory) == whole


def test_another_finished_source_is_left_alone(tmp_path: Path):
    before = snapshot(write_source(SPEC, tmp_path, Images()))
    with pytest.raises(UserError, match="letters: holds another letters with other classes or images"):
        write_source(replace(SPEC, class_names=("a", "b", "d")), tmp_path, Images())
    assert snapshot(tmp_path / "letters") == before


def test_another_unfinished_source_is_left_alone(interrupted: Path):
    before = snapshot(interrupted / "letters")
    with pytest.raises(UserError, match="letters: holds the unfinished conversion of another letters"):
        write_source(replace(SPEC, images_per_class=(2, 3, 5)), interrupted, Images())
    assert snapshot(interrupted / "letters") == before


def test_directory_with_unknown_files_is_left_alone(tmp_path: Path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "0.tfrecords").write_bytes(b"whose?")
    with pytest.raises(UserError, match="letters: is not empty and has no dataset_spec.json"):
        write_source(SPEC, tmp_path, Images())
    assert snapshot(tmp_path / "letters") == {"0.tfrecords": b"whose?"}


def test_records_root_that_is_a_file_is_named(tmp_path: Path):
    (tmp_path / "root").write_text("not a folder")
    with pytest.raises(UserError, match="root/letters: cannot be written .* choose another records root"):
        write_source(SPEC, tmp_path / "root", Images())
