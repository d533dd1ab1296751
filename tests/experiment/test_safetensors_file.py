"""safetensors files: what is written is read, and small files that claim much or are damaged end in one line."""

import json
from pathlib import Path

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.experiment.safetensors_file import LONGEST_HEADER, read_safetensors, write_safetensors

ONE = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


def write(path: Path, header: bytes, values: bytes = b"", length: int | None = None) -> Path:
    path.write_bytes((len(header) if length is None else length).to_bytes(8, "little") + header + values)
    return path


def test_what_is_written_is_read_and_equal_contents_make_equal_files(tmp_path):
    tensors = {"a": torch.randn(3, 4).mT, "b": torch.tensor(7), "c": torch.randn(2).bfloat16()}
    for name in ("first", "second"):
        write_safetensors(tmp_path / name, tensors, {"licence": "MIT"})
    content = read_safetensors(tmp_path / "first")
    assert content.metadata == {"licence": "MIT"}
    assert content.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert content.tensors[name].dtype == tensor.dtype and torch.equal(content.tensors[name], tensor)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("header", "values", "length", "line"),
    [
        (b"", b"", 0, "is not a readable safetensors file"),
        (b"{}", b"", 2**62, "claims a header of 4611686018427387904 bytes, and has 10"),
        (b"{}", bytes(2**24), LONGEST_HEADER + 1, "at most 16777216 are read"),
        (b"[]", b"", None, "is not a readable safetensors file"),
        (json.dumps({"a": ONE | {"shape": [2**60]}}).encode(), bytes(4), None, "is not a readable"),
        (json.dumps({"a": ONE | {"data_offsets": [0, 2**40], "shape": [2**38]}}).encode(), bytes(4), None, "is not a"),
        (json.dumps({"a": ONE, "b": ONE}).encode(), bytes(4), None, "is not a readable"),  # the same values twice
        (json.dumps({"a": ONE}).encode(), bytes(5), None, "file not fully covered"),
        (json.dumps({"a": ONE | {"dtype": "F4", "shape": [8]}}).encode(), bytes(4), None, "is not a readable"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, b"", None, "recursion limit exceeded"),
        (f'{{"a": {json.dumps(ONE)}, "a": {json.dumps(ONE)}}}'.encode(), bytes(4), None, "a name stands twice"),
    ],
)
def test_damaged_files_and_great_claims_are_refused_by_name(tmp_path, header, values, length, line):
    file = write(tmp_path / "model.safetensors", header, values, length)
    with pytest.raises(UserError, match=line) as refused:
        read_safetensors(file)
    assert str(file) in str(refused.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="none.safetensors does not exist"):
        read_safetensors(tmp_path / "none.safetensors")
