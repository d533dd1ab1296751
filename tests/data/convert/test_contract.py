"""Contract of all converters, on synthetic originals in the published layout: one row per source."""

import io
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from PIL import Image

from alfa_md.data import convert
from alfa_md.data.convert_common.write import write_source
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.records import decode_example, read_records, scan_offsets
from alfa_md.errors import UserError
from tests.data.convert import originals

SPLIT_SIZES = {
    "aircraft": (70, 15, 15),
    "cifar10": (0, 0, 10),
    "cifar100": (0, 0, 100),
    "cu_birds": (140, 30, 30),
    "dtd": (33, 7, 7),
    "folder": (2, 2, 2),
    "fungi": (994, 200, 200),
    "ilsvrc_2012": (712, 158, 130),
    "ilsvrc_2012_v2": (1000, 0, 0),
    "mini_imagenet": (64, 16, 20),
    "mnist": (0, 0, 10),
    "mscoco": (0, 40, 40),
    "omniglot": (883, 81, 659),
    "quickdraw": (241, 52, 52),
    "traffic_sign": (0, 0, 43),
    "vgg_flower": (71, 15, 16),
}


def records(file: Path) -> list[tuple[bytes, int | None]]:
    offsets = scan_offsets(file)
    return [decode_example(record, str(file)) for record in read_records(file, offsets, range(len(offsets) - 1))]


def test_every_converter_has_originals_and_a_row():
    names = {module.name for module in iter_modules(convert.__path__)}
    assert names == {module.name for module in iter_modules(originals.__path__)} == set(SPLIT_SIZES)


@pytest.fixture(params=sorted(SPLIT_SIZES))
def original(request, tmp_path) -> tuple[str, Path]:
    folder = import_module(f"tests.data.convert.originals.{request.param}").write(tmp_path / "own")
    return request.param, folder


def test_conversion_resuming_and_errors_for_missing_originals(original, tmp_path):
    name, source_dir = original
    plan = convert.planner(name)(source_dir).limited(2)
    directory = write_source(plan, tmp_path / "records")
    spec = load_spec(directory)
    assert tuple(spec.classes_per_split[split] for split in ("train", "valid", "test")) == SPLIT_SIZES[name]
    assert directory.name == ("own" if name == "folder" else name)
    files = {path.name for path in directory.glob("*.tfrecords")}
    assert files == {f"{class_id}.tfrecords" for class_id in range(len(spec.class_names))}
    for class_id in range(0, len(spec.class_names), 37):
        found = records(spec.class_file(class_id))
        assert len(found) == spec.images_per_class[class_id] > 0
        for image, label in found:
            assert label == class_id
            with Image.open(io.BytesIO(image)) as picture:
                assert picture.format == "JPEG" and picture.mode == "RGB" and picture.load()
    kept, lost = spec.class_file(1), spec.class_file(0)
    before, inode = lost.read_bytes(), kept.stat().st_ino
    lost.unlink()
    (directory / "dataset_spec.json").unlink()
    (directory / "unfinished_spec.json").write_bytes(unfinished(plan, tmp_path))
    write_source(plan, tmp_path / "records")
    assert lost.read_bytes() == before and kept.stat().st_ino == inode
    with pytest.raises(UserError) as error:
        convert.planner(name)(tmp_path / "nothing")
    assert str(tmp_path / "nothing") in str(error.value) and "\n" not in str(error.value)


def unfinished(plan, tmp_path: Path) -> bytes:
    """The planned specification that an interrupted conversion of the plan leaves."""

    def stop(class_id: int):
        raise UserError("interrupted")

    with pytest.raises(UserError, match="interrupted"):
        write_source(plan._replace(images=stop), tmp_path / "interrupted")
    return (tmp_path / "interrupted" / plan.spec.name / "unfinished_spec.json").read_bytes()
