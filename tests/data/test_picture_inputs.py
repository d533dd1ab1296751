"""Picture files as network inputs: as the images that the reader of a run reads."""

import numpy as np
import pytest
import torch
from PIL import Image

from alfa_md.data.images.transform import Transform
from alfa_md.data.open_image import UnreadableImage
from alfa_md.data.picture_inputs import ImageInput, RecordInput, read_content
from alfa_md.data.tfrecord.turbo_decoder import TurboDecoder
from tests.pictures import write_picture

DECODER = TurboDecoder(image_size=12)
READERS = {"records": RecordInput(DECODER), "images": ImageInput(Transform(size=12))}


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp"])
def test_a_picture_is_decoded_as_the_image_of_a_record(tmp_path, ending):
    file = write_picture(tmp_path / f"a.{ending}", (90, 120, 30), 0)
    expected = DECODER([file.read_bytes()])[0]
    assert torch.equal(RecordInput(DECODER)(file, file.read_bytes()), expected)


def test_other_formats_are_resized_as_the_images_of_records_are(tmp_path):
    file = write_picture(tmp_path / "a.png", (90, 120, 30), 0)
    with Image.open(file) as image:
        image.save(tmp_path / "a.webp", lossless=True)
        image.convert("L").save(tmp_path / "grey.tif")
        image.convert("L").save(tmp_path / "grey.png")
    read = RecordInput(DECODER)
    for name, same in {"a.webp": "a.png", "grey.tif": "grey.png"}.items():
        torch.testing.assert_close(
            read(tmp_path / name, (tmp_path / name).read_bytes()), read(tmp_path / same, (tmp_path / same).read_bytes())
        )


def test_a_jpeg_that_the_decoder_does_not_take_is_decoded_by_pillow(tmp_path):
    pixels = np.full((16, 16, 4), 128, np.uint8)
    Image.fromarray(pixels, "CMYK").save(tmp_path / "cmyk.jpg")
    tensor = RecordInput(DECODER)(tmp_path / "cmyk.jpg", (tmp_path / "cmyk.jpg").read_bytes())
    assert tensor.shape == (3, 12, 12) and tensor.abs().max() <= 1


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_an_unreadable_picture_is_named(tmp_path, read):
    whole = write_picture(tmp_path / "whole.png", (1, 2, 3), 0).read_bytes()
    Image.new("1", (10_000, 10_000)).save(tmp_path / "large.png")
    contents = {"cut.png": whole[:60], "text.jpg": b"no picture", "large.png": (tmp_path / "large.png").read_bytes()}
    for name, content in contents.items():
        with pytest.raises(UnreadableImage, match=name):
            read(tmp_path / name, content)
    with pytest.raises(UnreadableImage, match="missing.png: No such file"):
        read_content(tmp_path / "missing.png")
