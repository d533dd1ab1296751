import os

import numpy as np
import pytest

from alfa_md.data.tfrecord.records import decode_example, encode_example, read_records, scan_offsets, write_records
from alfa_md.errors import UserError
from tests.data.tfrecord.wire import bytes_field

PAYLOADS = [b"", b"a", bytes(range(256)) * 40, b"last"]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "0.tfrecords"
    assert write_records(path, PAYLOADS) == len(PAYLOADS)
    return path


def test_round_trip_in_any_order(path):
    offsets = scan_offsets(path)
    assert offsets.dtype == np.int64
    assert offsets.tolist() == [0, 16, 33, 33 + 16 + 10240, path.stat().st_size]
    assert read_records(path, offsets, [3, 0, 2, 2]) == [PAYLOADS[i] for i in (3, 0, 2, 2)]


def test_empty_file_has_no_records(tmp_path):
    (tmp_path / "empty").touch()
    assert scan_offsets(tmp_path / "empty").tolist() == [0]


def test_only_the_chosen_records_are_read(path, monkeypatch):
    offsets, spans = scan_offsets(path), []
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, start: spans.append((start, size)) or pread(file, size, start))
    read_records(path, offsets, [3, 1])
    assert spans == [(offsets[3], 20), (offsets[1], 17)]


def test_scan_reads_headers_only(path, monkeypatch):
    sizes = []
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, start: sizes.append(size) or pread(file, size, start))
    scan_offsets(path)
    assert sizes == [12] * len(PAYLOADS)


def test_no_file_stays_open(path):
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else pytest.skip("no /proc")
    offsets = scan_offsets(path)
    read_records(path, offsets, [0, 1])
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("kept", [1, 11, 12, 15, 40, -1])
def test_truncated_file_names_record_and_offset(path, kept):
    data = path.read_bytes()[:kept]
    path.write_bytes(data)
    number, start = (0, 0) if 0 < kept < 16 else (2, 33) if kept == 40 else (3, 10289)
    with pytest.raises(UserError, match=rf"0\.tfrecords: record {number} at byte {start} is truncated.*convert"):
        scan_offsets(path)


def test_file_truncated_after_the_index_was_made(path):
    offsets = scan_offsets(path)
    path.write_bytes(path.read_bytes()[:1000])
    assert read_records(path, offsets, [1]) == [b"a"]
    with pytest.raises(UserError, match="record 2 at byte 33 is truncated: 967 of 10256 bytes"):
        read_records(path, offsets, [2])


@pytest.mark.parametrize(("byte", "what"), [(33, "length"), (41, "length"), (60, "data"), (33 + 10254, "data")])
def test_flipped_bit_is_found(path, byte, what):
    offsets, data = scan_offsets(path), bytearray(path.read_bytes())
    data[byte] ^= 4
    path.write_bytes(data)
    with pytest.raises(UserError, match=f"record 2 at byte 33 is corrupt: the checksum of its {what}"):
        read_records(path, offsets, [2])
    assert read_records(path, offsets, [3]) == [b"last"]


def test_missing_file_and_directory(tmp_path):
    for path in (tmp_path / "5.tfrecords", tmp_path):
        with pytest.raises(UserError, match=f"{path}: cannot be read"):
            scan_offsets(path)


def test_failed_write_leaves_the_old_file_and_no_other(path):
    def broken():
        yield b"one"
        raise RuntimeError("source failed")

    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="source failed"):
        write_records(path, broken())
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("label", [0, 127, 128, 4933, -1])
@pytest.mark.parametrize("size", [0, 1, 127, 128, 70000])
def test_example_round_trip(label, size):
    assert decode_example(encode_example(b"\xff" * size, label), "x") == (b"\xff" * size, label)


@pytest.mark.parametrize("payload", [b"\xff\xff", b"\x0a\x05abc", b"\x0a\x04\x0a\x02\xff\xff"])
def test_not_an_example(payload):
    with pytest.raises(UserError, match="7.tfrecords: record 3 is not a tf.train.Example; .*convert"):
        decode_example(payload, "7.tfrecords: record 3")


def test_example_without_a_single_image():
    with pytest.raises(UserError, match="here has 0 values in its feature 'image'"):
        decode_example(b"", "here")
    entry = bytes_field(1, b"image") + bytes_field(2, bytes_field(1, bytes_field(1, b"a") + bytes_field(1, b"b")))
    with pytest.raises(UserError, match="here has 2 values in its feature 'image'"):
        decode_example(bytes_field(1, bytes_field(1, entry)), "here")


def test_tensorflow_reads_what_we_write(tf, tmp_path):
    images, path = [b"", b"picture", b"\x00" * 5000], tmp_path / "0.tfrecords"
    write_records(path, [encode_example(image, 300 + i) for i, image in enumerate(images)])
    kinds = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}
    read = [tf.io.parse_single_example(data, kinds) for data in tf.data.TFRecordDataset(str(path))]
    assert [(r["image"].numpy(), int(r["label"])) for r in read] == [(image, 300 + i) for i, image in enumerate(images)]


def test_we_read_what_tensorflow_writes(tf, tmp_path):
    path = tmp_path / "0.tfrecords"
    train = tf.train
    extra = {
        "a": train.Feature(float_list=train.FloatList(value=[1.5, 2.5])),
        "zz": train.Feature(bytes_list=train.BytesList(value=[b"more", b"words"])),
        "none": train.Feature(),
    }
    with tf.io.TFRecordWriter(str(path)) as writer:
        for i in range(5):
            features = {
                "image": train.Feature(bytes_list=train.BytesList(value=[b"i" * i * 1000])),
                "label": train.Feature(int64_list=train.Int64List(value=[i - 1])),
            }
            features |= extra if i % 2 else {}
            writer.write(train.Example(features=train.Features(feature=features)).SerializeToString())
    records = read_records(path, scan_offsets(path), range(5))
    assert [decode_example(data, "x") for data in records] == [(b"i" * i * 1000, i - 1) for i in range(5)]


def test_example_agrees_with_the_message_class(tf):
    example = tf.train.Example.FromString(encode_example(b"bytes", -5))
    assert example.features.feature["image"].bytes_list.value == [b"bytes"]
    assert example.features.feature["label"].int64_list.value == [-5]
    without_label = tf.train.Example()
    without_label.features.feature["image"].bytes_list.value.append(b"only")
    assert decode_example(without_label.SerializeToString(), "x") == (b"only", None)
