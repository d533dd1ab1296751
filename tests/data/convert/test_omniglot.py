"""Omniglot converter: class order, content of records, and errors for incomplete folders."""

import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alfa_md.data.convert import omniglot
from alfa_md.data.convert_common.write import write_source
from alfa_md.data.spec import BiLevelSpec, DatasetSpec, load_spec
from alfa_md.data.tfrecord.records import decode_example, read_records, scan_offsets
from alfa_md.errors import UserError
from tests.omniglot_folders import PackedOmniglot, unpack_omniglot
from tests.shared import shared_data


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folders of an Omniglot of five characters: drawer d has (d + 1) * (class id + 1) black pixels."""
    monkeypatch.setattr(omniglot, "TRAIN", {"Alpha": 2, "Beta": 1})
    monkeypatch.setattr(omniglot, "VALID", {"Aleph": 1})
    monkeypatch.setattr(omniglot, "TEST", {"Omega": 1})
    for class_id, character in enumerate(omniglot.all_characters()):
        folder = tmp_path / "source" / character.folder
        folder.mkdir(parents=True)
        for drawer in range(20):
            paper = np.ones((24, 32), bool)
            paper.flat[: (drawer + 1) * (class_id + 1)] = False
            Image.fromarray(paper).save(folder / f"{class_id:04d}_{drawer + 1:02d}.png")
    return tmp_path / "source"


def convert(source_dir: Path, records_root_dir: Path) -> Path:
    return write_source(omniglot.plan(source_dir), records_root_dir)


def pixels_of_class(spec: DatasetSpec, class_id: int) -> list[np.ndarray]:
    """Every image of a class file, [H, W, 3] uint8, after checking what must hold of all of them."""
    file = spec.class_file(class_id)
    offsets = scan_offsets(file)
    records = [decode_example(r, str(file)) for r in read_records(file, offsets, range(len(offsets) - 1))]
    assert [label for _, label in records] == [class_id] * 20
    images = [Image.open(io.BytesIO(data)) for data, _ in records]
    assert {(image.format, image.mode) for image in images} == {("JPEG", "RGB")}
    return [np.asarray(image) for image in images]


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_classes_are_those_of_the_published_specification():
    spec = omniglot.omniglot_spec()
    assert short_hash("\n".join(spec.class_names)) == "3037aac8a248d20d"
    assert short_hash(json.dumps(spec.images_per_class, separators=(",", ":"))) == "0fe23854b391ae56"
    assert spec.classes_per_split == {"train": 883, "valid": 81, "test": 659}
    assert spec.superclasses_per_split == {"train": 25, "valid": 5, "test": 20}


def test_records_hold_inverted_images_in_drawer_order(small: Path, tmp_path: Path):
    directory = convert(small, tmp_path / "records")
    spec = load_spec(directory)
    assert isinstance(spec, BiLevelSpec)
    assert directory == tmp_path / "records" / "omniglot"
    assert spec.superclass_names == ("Alpha", "Beta", "Aleph", "Omega")
    assert spec.class_names[1] == "Alpha-character02"
    assert {file.name for file in directory.iterdir()} == {"dataset_spec.json"} | {f"{n}.tfrecords" for n in range(5)}
    for class_id in range(5):
        images = pixels_of_class(spec, class_id)
        assert {image.shape for image in images} == {(24, 32, 3)}
        lit = [(image[..., 0] > 127).sum() for image in images]
        assert np.abs(np.array(lit) - np.arange(1, 21) * (class_id + 1)).max() <= 2


def test_hidden_files_are_no_images(small: Path, tmp_path: Path):
    folder = small / "images_background" / "Alpha" / "character01"
    (folder / "._0000_01.png").write_bytes(b"resource fork")
    assert convert(small, tmp_path / "records").exists()


def test_missing_source_folder_is_named(small: Path, tmp_path: Path):
    with pytest.raises(UserError, match="nowhere: no such folder; unpack images_background.zip"):
        convert(tmp_path / "nowhere", tmp_path / "records")


@pytest.mark.parametrize("folder", ["images_evaluation", "images_background/Aleph"])
def test_missing_folder_is_named_before_anything_is_written(small: Path, tmp_path: Path, folder: str):
    (small / folder).rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=rf"folder {folder} is missing; unpack images_background.zip"):
        convert(small, tmp_path / "records")
    assert not (tmp_path / "records").exists()


def test_missing_images_are_counted_before_anything_is_written(small: Path, tmp_path: Path):
    for character in omniglot.all_characters():
        next((small / character.folder).glob("*.png")).unlink()
    expected = "images_background/Alpha/character01 has 19 images, not 20; .*; and 2 more; unpack"
    with pytest.raises(UserError, match=expected):
        convert(small, tmp_path / "records")
    assert not (tmp_path / "records").exists()


def test_broken_image_is_named_and_no_specification_written(small: Path, tmp_path: Path):
    broken = small / "images_evaluation" / "Omega" / "character01" / "0004_07.png"
    broken.write_bytes(broken.read_bytes()[:40])
    with pytest.raises(UserError, match="0004_07.png: is not a readable image"):
        convert(small, tmp_path / "records")
    written = {file.name for file in (tmp_path / "records" / "omniglot").iterdir()}
    assert "3.tfrecords" in written and not written & {"4.tfrecords", "dataset_spec.json"}


@pytest.mark.slow
def test_all_of_omniglot_by_the_command(tmp_path: Path):
    npz_path = shared_data("omniglot.npz")
    unpack_omniglot(npz_path, tmp_path / "source")
    command = [sys.executable, "-m", "alfa_md.convert", "omniglot"]
    command += [f"--source_dir={tmp_path / 'source'}", f"--records_root_dir={tmp_path / 'records'}"]
    (tmp_path / "source" / "images_background" / "Latin" / "x.png").write_bytes(b"")
    report = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert report.startswith("1 files of images_background/ left out, in no class or not images: Latin/x.png\n")
    assert report.count("as published") == 2
    spec = load_spec(tmp_path / "records" / "omniglot")
    assert spec == omniglot.omniglot_spec()
    counts = [len(scan_offsets(spec.class_file(class_id))) - 1 for class_id in range(1623)]
    assert counts == list(spec.images_per_class)

    original = PackedOmniglot(npz_path)
    character_of = {original.name(character): character for character in range(len(original))}
    for class_id in range(0, 1623, 60):
        ink = original.ink(character_of[spec.class_names[class_id]])
        for image, strokes in zip(pixels_of_class(spec, class_id), ink, strict=True):
            wanted = np.repeat(strokes[..., None] * 255.0, 3, axis=-1)
            assert np.abs(image - wanted).mean() < 4
            assert ((image > 127) == (wanted > 127)).mean() > 0.999
