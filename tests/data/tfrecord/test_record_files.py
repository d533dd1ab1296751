"""Random access to record files by class and record number."""

import os
from pathlib import Path

import numpy as np
import pytest

from alfa_md.data.tfrecord import record_files
from alfa_md.data.tfrecord.record_files import RecordFiles
from alfa_md.data.tfrecord.record_images import DecodedImages
from alfa_md.data.tfrecord.tensorflow_decoder import TensorflowDecoder
from alfa_md.errors import UserError
from tests.data.records import coloured_image, decode_names, write_source

CHOSEN = [(4, 7), (0, 3), (4, 0), (17, 29), (0, 3), (4, 1)]


def test_images_come_in_the_order_asked_for(tmp_path):
    images = DecodedImages(write_source(tmp_path), decode_names).images(CHOSEN)
    assert images[:, :2, 0, 0].tolist() == [[float(c), float(n)] for c, n in CHOSEN]


def test_a_class_file_is_opened_once(tmp_path, monkeypatch):
    files = DecodedImages(write_source(tmp_path), decode_names)
    files.images(CHOSEN)  # makes the index
    opened, real = [], os.open
    monkeypatch.setattr(os, "open", lambda path, *flags: opened.append(Path(path).name) or real(path, *flags))
    files.images(CHOSEN)
    assert opened == ["4.tfrecords", "0.tfrecords", "17.tfrecords"]


def test_the_undecodable_image_is_named(tf, tmp_path):
    def image(class_id: int, number: int) -> bytes:
        return b"no image" if (class_id, number) == (17, 29) else coloured_image(class_id, number)

    files = DecodedImages(write_source(tmp_path, image), TensorflowDecoder(8))
    with pytest.raises(UserError, match=r"toy/17.tfrecords: the image of record 29 is not a whole still picture"):
        files.images(CHOSEN)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="this system does not list a process's mappings")
@pytest.mark.parametrize("limit, mapped", [(10_000, 0), (29, 18)])
def test_only_large_files_keep_their_index_mapped(tmp_path, monkeypatch, limit, mapped):
    monkeypatch.setattr(record_files, "MAPPED", limit)
    spec = write_source(tmp_path)
    DecodedImages(spec, decode_names).images([(c, 0) for c in range(18)])  # makes the index
    files = DecodedImages(spec, decode_names)
    files.images([(c, 0) for c in range(18)])
    kept = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if str(tmp_path) in line}
    assert len(kept) == mapped and files is not None  # `files` must live until here


def test_the_stamp_has_specification_decoder_and_size(tf, tmp_path):
    spec = write_source(tmp_path)
    stamp = DecodedImages(spec, TensorflowDecoder(8)).stamp()
    assert (stamp["decoder"], stamp["image_size"], len(stamp["spec"])) == ("tensorflow", 8, 16)
    other = write_source(tmp_path, name="other", images_per_class=29)
    assert DecodedImages(other, TensorflowDecoder(8)).stamp()["spec"] != stamp["spec"]


@pytest.mark.parametrize("seed", range(20))
def test_an_index_that_does_not_fit_is_made_anew(tmp_path, monkeypatch, seed):
    """Offsets are moved at random, as a bit flip or another file of the same size and time would have it."""
    monkeypatch.setenv("ALFA_MD_CACHE", str(tmp_path / "cache"))
    spec = write_source(tmp_path)
    chosen = [(0, number) for number in range(30)]
    images = RecordFiles(spec).read_images(chosen)
    (index,) = (tmp_path / "cache" / "index").iterdir()
    good, rng = np.fromfile(index, "<i8"), np.random.default_rng(seed)
    damaged = good.copy()
    damaged[2:-1] = np.sort(rng.choice(np.arange(1, good[-1]), len(good) - 3, replace=False))
    damaged.tofile(index)
    assert RecordFiles(spec).read_images(chosen) == images
    shorter = np.concatenate([good[:5], good[-1:]])
    shorter.tofile(index)
    assert RecordFiles(spec).read_images(chosen) == images
    assert np.array_equal(np.fromfile(index, "<i8"), good)
