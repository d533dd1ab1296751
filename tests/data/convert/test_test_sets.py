"""Converters of the test sets of MNIST, CIFAR-10 and CIFAR-100: forms of the originals, pixels, and damage."""

import gzip
import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alfa_md.data.convert import cifar10, cifar100, planner
from alfa_md.data.convert_common import idx_file
from alfa_md.data.convert_common.plan import Plan
from alfa_md.errors import UserError
from tests.data.convert.cifar_files import labelled_rows, pack, write_binary, write_python
from tests.data.convert.originals import cifar10 as cifar10_files
from tests.data.convert.originals import cifar100 as cifar100_files
from tests.data.convert.originals import mnist as mnist_files
from tests.shared import shared_data


def some_images(plan: Plan) -> list[list[bytes]]:
    """The images of ten classes, of ten or a hundred."""
    return [list(plan.images(class_id)) for class_id in tens(len(plan.spec.class_names))]


def tens(number: int) -> range:
    return range(0, number, number // 10)


def reference_jpeg(pixels: np.ndarray) -> bytes:
    """The image as the authors of the published tables made it: Lanczos to 84 pixels, PNG, and that as JPEG."""
    png, jpeg = io.BytesIO(), io.BytesIO()
    Image.fromarray(pixels).convert("RGB").resize((84, 84), resample=Image.LANCZOS).save(png, "PNG")
    Image.open(png).save(jpeg, "JPEG")
    return jpeg.getvalue()


def test_digits_in_both_forms_of_their_files(tmp_path):
    folder = mnist_files.write(tmp_path)
    plan = planner("mnist")(folder)
    assert plan.spec.class_names == tuple(f"class_{digit}" for digit in range(10)) and plan.notes == ()
    images = np.zeros((20, 784), np.uint8)
    for number in range(20):
        images[number, : 40 * number + 20] = 255
    images = images.reshape(20, 28, 28)
    assert some_images(plan) == [[reference_jpeg(images[n]) for n in (digit, digit + 10)] for digit in range(10)]
    packed = folder / "t10k-images-idx3-ubyte.gz"
    (folder / "t10k-images.idx3-ubyte").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.rename(folder / "train-images-idx3-ubyte.gz")
    again = planner("mnist")(folder)
    assert some_images(again) == some_images(plan)
    assert again.notes[0].endswith("left out, in no class or not images: train-images-idx3-ubyte.gz")


FORMS = {
    "cifar10": (cifar10_files, "cifar-10-batches-bin", ("test_batch.bin", "batches.meta.txt"), 1, cifar10),
    "cifar100": (cifar100_files, "cifar-100-binary", ("test.bin", "fine_label_names.txt"), 2, cifar100),
}


@pytest.mark.parametrize("source", FORMS)
def test_all_archives_of_cifar_have_equal_images(source, tmp_path):
    originals, name, files, num_labels, converter = FORMS[source]
    number = len(labelled_rows(int(source[5:]))[1]) // 2
    python, binary = converter.PYTHON, converter.BINARY
    unpacked = write_python(tmp_path / "a" / python.folder, originals.FILES, originals.FIELDS, number)
    plan = planner(source)(unpacked.parent)
    rows, labels = labelled_rows(number)
    pixels = rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    expected = [[reference_jpeg(image) for image in pixels[labels == label]] for label in tens(number)]
    assert some_images(plan) == expected
    assert plan.notes == (f"1 files of {python.folder} left out, not of test images: train",)
    itself = planner(source)(unpacked)
    assert itself.spec == plan.spec and some_images(itself) == expected
    packed = planner(source)(pack(unpacked, python.packed))
    assert packed.spec == plan.spec and some_images(packed) == expected
    assert packed.notes == (f"1 files of {python.packed} left out, not of test images: train",)
    other = write_binary(tmp_path / "b" / name, files, num_labels, number)
    for folder in (other.parent, pack(other, binary.packed)):
        found = planner(source)(folder)
        assert found.spec == plan.spec and some_images(found) == expected and found.notes == ()


def header(*shape: int, kind: int = 8) -> bytes:
    return struct.pack(f">4B{len(shape)}I", 0, 0, kind, len(shape), *shape)


BAD_DIGITS = {
    "of floats": (header(20, 28, 28, kind=13) + bytes(20 * 784), "is no IDX file of bytes in 3 dimensions"),
    "of labels": (header(20) + bytes(20), "is no IDX file of bytes in 3 dimensions"),
    "empty": (b"", "is no IDX file of bytes in 3 dimensions"),
    "cut in its header": (header(20, 28, 28)[:9], "is no IDX file of bytes in 3 dimensions"),
    "cut off": (header(20, 28, 28) + bytes(784), "claims 20 x 28 x 28 values, but has 784 bytes; download"),
    "too long": (header(20, 28, 28) + bytes(21 * 784), "claims 20 x 28 x 28 values, but has more; download"),
    "that claims gigabytes": (header(2**31, 28, 28) + bytes(784), "claims 2147483648 x 28 x 28 values, but has 784"),
    "with packed data cut off": (gzip.compress(header(20, 28, 28) + os.urandom(15680))[:400], "cannot be read"),
    "of other sizes": (header(20, 32, 32) + bytes(20 * 1024), "images of 32 x 32 pixels; download"),
    "of another number": (header(19, 28, 28) + bytes(19 * 784), "19 images, but 20 labels; download"),
}


@pytest.mark.parametrize("kind", BAD_DIGITS)
def test_a_bad_file_of_digits_is_one_line(kind, tmp_path):
    content, words = BAD_DIGITS[kind]
    (mnist_files.write(tmp_path) / "t10k-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        planner("mnist")(tmp_path)
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)


def test_a_digit_beyond_nine_and_a_digit_without_image(tmp_path):
    labels = mnist_files.write(tmp_path) / "t10k-labels-idx1-ubyte"
    content = labels.read_bytes()
    for value, words in ((10, "has an image of class 10, not below 10"), (0, "has no test image of class_9")):
        labels.write_bytes(content.replace(b"\x09", bytes([value])))
        with pytest.raises(UserError, match=words):
            planner("mnist")(tmp_path)
    labels.unlink()
    with pytest.raises(UserError, match=r"t10k-labels-idx1-ubyte\.gz is missing; download"):
        planner("mnist")(tmp_path)


def test_a_packed_file_larger_than_the_limit_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(idx_file, "LIMIT", 1000)
    with pytest.raises(UserError, match="claims 20 x 28 x 28 values, but has 1001 bytes"):
        planner("mnist")(mnist_files.write(tmp_path))


class Touch:
    """A pickle that would make a file."""

    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def bad_fields(**change) -> bytes:
    rows, labels = labelled_rows(10)
    return pickle.dumps({"data": rows, "labels": labels.tolist()} | change)


BAD_THINGS = {
    "a label beyond the names": (bad_fields(labels=[10**9] * 20), "has an image of class 1000000000, not below 10"),
    "labels for others": (bad_fields(labels=[0]), "test_batch: field 'labels' must hold 20 class numbers"),
    "rows of another length": (bad_fields(data=np.zeros((20, 784), np.uint8)), r"must be \[N, 3072\] uint8"),
    "no labels": (pickle.dumps({"data": labelled_rows(10)[0]}), "test_batch: field 'labels' is missing"),
    "no pickle": (b"junk", "test_batch: is not a whole pickle"),
}


@pytest.mark.parametrize("kind", BAD_THINGS)
def test_a_bad_pickle_of_cifar_is_one_line(kind, tmp_path):
    content, words = BAD_THINGS[kind]
    (cifar10_files.write(tmp_path) / "cifar-10-batches-py" / "test_batch").write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        planner("cifar10")(tmp_path)
    assert "\n" not in str(error.value)


def test_an_unsafe_pickle_of_cifar_is_refused_and_not_run(tmp_path):
    trace = tmp_path / "trace"
    folder = cifar10_files.write(tmp_path / "own")
    (folder / "cifar-10-batches-py" / "test_batch").write_bytes(pickle.dumps(Touch(trace)))
    with pytest.raises(UserError, match="which is not plain data and was not run"):
        planner("cifar10")(folder)
    assert not trace.exists()


def test_bad_binary_files_and_names_of_classes(tmp_path):
    files = ("test_batch.bin", "batches.meta.txt")
    place = write_binary(tmp_path / "cifar-10-batches-bin", files, num_labels=1, num_classes=10)
    names = place / "batches.meta.txt"
    for text, words in (("cat\n" * 10, "two classes have one name"), ("cat\n", "names 1 classes, not 10")):
        names.write_text(text)
        with pytest.raises(UserError, match=words):
            planner("cifar10")(tmp_path)
    (place / "test_batch.bin").write_bytes(bytes(3072))
    with pytest.raises(UserError, match="has 3072 bytes, no multiple of 3073; download"):
        planner("cifar10")(tmp_path)
    names.unlink()
    with pytest.raises(UserError, match=r"batches\.meta\.txt: is missing; unpack cifar-10-binary\.tar\.gz again"):
        planner("cifar10")(tmp_path)


def test_the_real_digits(tmp_path):
    with np.load(shared_data("mnist_subset.npz")) as arrays:
        images, labels = arrays["images"], arrays["label"]
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(mnist_files.idx(images)))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(mnist_files.idx(labels)))
    plan = planner("mnist")(tmp_path)
    assert plan.spec.images_per_class == (100,) * 10
    for digit in (0, 7):
        own = images[labels == digit][:3]
        assert list(plan.images(digit))[:3] == [reference_jpeg(image) for image in own]
