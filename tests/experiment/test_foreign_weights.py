"""Weights files of other libraries: forms, and what is refused."""

import argparse
import json
import pickle
from pathlib import Path

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.experiment.foreign_weights import hash_of, read_foreign
from alfa_md.experiment.safetensors_file import write_safetensors
from alfa_md.experiment.torch_archive import DamagedCheckpoint
from tests.entries.damage import Trap

TENSORS = {"conv1.weight": torch.arange(6.0).reshape(2, 3), "bn1.num_batches_tracked": torch.tensor(3)}


def assert_tensors(path: Path, names: dict = TENSORS) -> None:
    found = read_foreign(path)
    assert found.tensors.keys() == names.keys() and found.hash == hash_of(path)
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in names.items())


@pytest.mark.parametrize("key", [None, "state_dict", "model", "model_state_dict", "teacher"])
@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_files_of_torch_save(tmp_path, key, form):
    content = TENSORS if key is None else {"epoch": 3, key: TENSORS, "args": {"lr": 0.1}}
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=form == "zip")
    assert_tensors(tmp_path / "w.pth")


def write_folder(folder: Path, **files: dict) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    for name, tensors in files.items():
        write_safetensors(folder / f"{name}.safetensors", tensors, {})
    return folder


def test_safetensors_as_a_file_a_folder_and_in_parts(tmp_path):
    whole = write_folder(tmp_path / "whole", model=TENSORS)
    assert_tensors(whole)
    assert_tensors(whole / "model.safetensors")
    (first, one), (second, two) = TENSORS.items()
    parts = write_folder(tmp_path / "parts", a={first: one}, b={second: two})
    index = {"weight_map": {first: "a.safetensors", second: "b.safetensors"}}
    (parts / "model.safetensors.index.json").write_text(json.dumps(index))
    assert_tensors(parts)
    older = write_folder(tmp_path / "older")
    torch.save(TENSORS, older / "pytorch_model.bin")
    assert_tensors(older)


@pytest.mark.parametrize("form", ["zip", "legacy", "bare pickle"])
def test_code_is_refused_and_not_run(tmp_path, form):
    file, content = tmp_path / "w.pth", {"state_dict": TENSORS, "x": Trap(tmp_path / "trace")}
    if form == "bare pickle":
        file.write_bytes(pickle.dumps(Trap(tmp_path / "trace")))
    else:
        torch.save(content, file, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(DamagedCheckpoint, match="w.pth holds more than tensors and plain values, and reading it could"):
        read_foreign(file)
    assert not (tmp_path / "trace").exists()


def test_the_remedy_for_a_file_with_a_training_program_s_objects_works(tmp_path):
    file = tmp_path / "w.pth"
    torch.save({"state_dict": TENSORS, "args": argparse.Namespace(lr=0.1)}, file)
    with pytest.raises(DamagedCheckpoint, match=r"torch.save\(torch.load\(FILE, weights_only=False\)\['state_dict'\]"):
        read_foreign(file)
    torch.save(torch.load(file, weights_only=False)["state_dict"], file)
    assert_tensors(file)


@pytest.mark.parametrize(
    "content, line",
    [
        (
            {"epoch": 3, "net": TENSORS},
            "w.pth holds epoch, net, and no tensors by name there or under state_dict",
        ),
        ([torch.ones(2)], "w.pth holds a list, and no tensors by name"),
        ({}, "w.pth holds , and no tensors"),
        ({"a": torch.ones(2).to_sparse()}, "w.pth holds a, and no tensors"),
        ({"a": torch.zeros(1).expand(2**20, 2**20)}, r"claims a tensor of \[1048576, 1048576\]"),
    ],
)
@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_other_contents_are_refused(tmp_path, content, line, form):
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(UserError, match=line):
        read_foreign(tmp_path / "w.pth")


def test_a_legacy_file_that_claims_more_than_it_has_is_refused(tmp_path):
    """A storage of 2**50 values in a file of some hundred bytes."""
    file = tmp_path / "w.pth"
    torch.save({"a": torch.zeros(1025)}, file, _use_new_zipfile_serialization=False)
    data = file.read_bytes()
    claimed = pickle.dumps(2**50, 2)[2:-1]
    old = pickle.dumps(1025, 2)[2:-1]
    assert old in data
    file.write_bytes(data.replace(old, claimed))
    with pytest.raises(DamagedCheckpoint, match="w.pth cannot be read"):
        read_foreign(file)


@pytest.mark.parametrize(
    "files, line",
    [
        ({}, "holds no model.safetensors; write the model again with save_pretrained"),
        ({"model.safetensors.index.json": "{}"}, "index.json: has no weight_map of files in its folder"),
        ({"model.safetensors.index.json": '{"weight_map": {"a": "../a.safetensors"}}'}, "has no weight_map of files"),
        ({"model.safetensors.index.json": '{"weight_map": {"a": "b.safetensors"}}'}, "b.safetensors: does not exist"),
        ({"model.safetensors": "short"}, "model.safetensors: claims a header of"),
    ],
)
def test_folders_without_their_files_are_refused(tmp_path, files, line):
    folder = write_folder(tmp_path / "model")
    for name, text in files.items():
        (folder / name).write_text(text)
    with pytest.raises(UserError, match=line):
        read_foreign(folder)
