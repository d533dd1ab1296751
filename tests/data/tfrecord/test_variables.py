"""TensorFlow checkpoints, read and written by name."""

import os
import sys

import numpy as np
import pytest

from alfa_md.data.tfrecord import runtime
from alfa_md.data.tfrecord.variables import checkpoint_files, read_variables, write_variables
from alfa_md.errors import UserError

VARIABLES = {
    "net/conv1/weight": np.arange(3 * 3 * 2 * 5, dtype=np.float32).reshape(3, 3, 2, 5),
    "net/conv1/batch_norm/scale": np.array([[[[1.5, np.nan]]]], np.float32),
    "global_step": np.array(27500, np.int64),
    "transposed": np.arange(6, dtype=np.float32).reshape(2, 3).T,
}


def same(a, b) -> bool:
    return a.keys() == b.keys() and all(
        a[name].dtype == b[name].dtype and np.array_equal(a[name], b[name], equal_nan=True) for name in a
    )


def refusal(prefix) -> str:
    with pytest.raises(UserError) as caught:
        read_variables(prefix)
    assert str(prefix) in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_written_is_read_and_nothing_else_is_left(tf, tmp_path):
    prefix = tmp_path / "model_1.ckpt"
    write_variables(prefix, VARIABLES)
    assert same(read_variables(prefix), VARIABLES)
    assert {path.name for path in tmp_path.iterdir()} == {"model_1.ckpt.index", "model_1.ckpt.data-00000-of-00001"}
    assert set(checkpoint_files(prefix)) == set(tmp_path.iterdir())


def test_files_of_other_checkpoints_are_not_of_this_one(tf, tmp_path):
    write_variables(tmp_path / "model_10", VARIABLES)
    assert checkpoint_files(tmp_path / "model_1") == [] == checkpoint_files(tmp_path / "nowhere" / "model_1")


def test_a_saver_restores_what_is_written_and_writes_what_is_read(tf, tmp_path):
    v1 = tf.compat.v1
    write_variables(tmp_path / "ours", VARIABLES)
    with tf.Graph().as_default(), v1.Session() as session:
        empty = {name: v1.get_variable(name, value.shape, value.dtype) for name, value in VARIABLES.items()}
        saver = v1.train.Saver()
        saver.restore(session, str(tmp_path / "ours"))
        assert same(session.run(empty), VARIABLES)
        saver.save(session, str(tmp_path / "theirs"))
    assert same(read_variables(tmp_path / "theirs"), VARIABLES)


def test_missing_checkpoints_are_named(tf, tmp_path):
    assert "no such TensorFlow checkpoint" in refusal(tmp_path / "model.ckpt")
    write_variables(tmp_path / "model.ckpt", VARIABLES)
    (tmp_path / "model.ckpt.data-00000-of-00001").unlink()
    assert "cannot be read as a TensorFlow checkpoint" in refusal(tmp_path / "model.ckpt")


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_damaged_checkpoints_are_named(tf, tmp_path, suffix):
    prefix = tmp_path / "model.ckpt"
    write_variables(prefix, VARIABLES)
    file = prefix.with_name(prefix.name + suffix)
    whole = file.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1 :]
    for content in (b"", whole[:middle], whole[:-1], flipped):
        file.write_bytes(content)
        assert "cannot be read as a TensorFlow checkpoint" in refusal(prefix)


def test_a_write_that_fails_midway_leaves_no_checkpoint_and_no_rubbish(tf, tmp_path, monkeypatch):
    def disk_full(prefix, **tensors):
        with open(f"{prefix}.data-00000-of-00001", "wb") as file:
            file.write(b"half")
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.raw_ops, "SaveV2", disk_full)
    with pytest.raises(UserError, match=r"model.ckpt: cannot be written \(ResourceExhaustedError\)"):
        write_variables(tmp_path / "model.ckpt", VARIABLES)
    assert list(tmp_path.iterdir()) == []


def test_the_index_appears_last(tf, tmp_path, monkeypatch):
    moved, replace = [], os.replace

    def watched(source, target):
        moved.append(target.suffix)
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    write_variables(tmp_path / "model.ckpt", VARIABLES)
    assert moved == [".data-00000-of-00001", ".index"]


def test_a_folder_that_is_not_there_is_named(tf, tmp_path):
    with pytest.raises(UserError, match=r"model.ckpt: cannot be written \(No such file or directory\)"):
        write_variables(tmp_path / "nowhere" / "model.ckpt", VARIABLES)


def test_without_tensorflow_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    runtime._started.cache_clear()
    with pytest.raises(UserError, match="TensorFlow is not installed"):
        read_variables(tmp_path / "model.ckpt")
