"""Image files as JPEG: kept bytes, converted modes, and refused files."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from alfa_md.data.convert_common.jpeg import UnreadableImage, read_as_jpeg, transform_to_jpeg
from alfa_md.data.convert_common.plan import Copied
from tests.entries.harness import run_entry


def levels(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)))


def sixteen_bits(file: Path) -> np.ndarray:
    """Writes grey levels of 16 bits; returns their high bytes."""
    pixels = np.linspace(0, 2**16 - 1, 64 * 48).astype(np.uint16).reshape(48, 64)
    Image.fromarray(pixels).save(file)
    return pixels >> 8


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
def test_sixteen_bits_become_their_high_byte(ending, tmp_path):
    expected = sixteen_bits(file := tmp_path / f"grey.{ending}")
    for jpeg, right in ((read_as_jpeg(file), expected), (transform_to_jpeg(file, ImageOps.invert), 255 - expected)):
        assert levels(jpeg).shape == (48, 64, 3) and np.abs(levels(jpeg).astype(int) - right[..., None]).max() <= 3


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK"])
def test_usual_modes_are_converted_as_the_official_converters_do(mode, tmp_path):
    image = Image.effect_mandelbrot((30, 20), (-2, -1, 1, 1), 50).convert("RGB").convert(mode)
    image.save(file := tmp_path / "image.tif")
    image.convert("RGB").save(buffer := io.BytesIO(), "JPEG")
    assert read_as_jpeg(file) == buffer.getvalue()


def test_a_coloured_jpeg_is_kept_and_a_grey_one_is_not(tmp_path):
    Image.new("RGB", (9, 9), (1, 2, 3)).save(kept := tmp_path / "kept.jpg")
    Image.new("L", (9, 9), 7).save(grey := tmp_path / "grey.jpg")
    assert read_as_jpeg(kept) == Copied(kept, kept.read_bytes()) and levels(read_as_jpeg(grey)).shape == (9, 9, 3)


def test_unreadable_files_are_named(tmp_path):
    Image.new("F", (9, 9)).save(floats := tmp_path / "floats.tif")
    (text := tmp_path / "text.jpg").write_text("no picture")
    for read in (read_as_jpeg, lambda file: transform_to_jpeg(file, ImageOps.invert)):
        with pytest.raises(UnreadableImage, match=r"floats\.tif: has pixels of mode F"):
            read(floats)
        with pytest.raises(UnreadableImage, match=r"text\.jpg: is not a readable image"):
            read(text)


def test_a_conversion_of_floats_stops_with_the_name_of_the_file(tmp_path):
    for name in "abc":
        (tmp_path / "own" / name).mkdir(parents=True)
        sixteen_bits(tmp_path / "own" / name / "0.png")
    Image.new("F", (9, 9)).save(tmp_path / "own" / "c" / "1.tif")
    outcome = run_entry("convert", "folder", "--source_dir=own", "--records_root_dir=records", cwd=tmp_path)
    assert outcome.code == 2
    assert (
        "error: own/c/1.tif: has pixels of mode F; save it with 8 bits a value, grey or RGB, or leave it out"
        in outcome.err
    )
    assert not (tmp_path / "records" / "own" / "dataset_spec.json").exists()
