"""Atomic writes of files."""

import errno
import json
import os
from threading import get_ident

import pytest

from alfa_md.errors import UserError
from alfa_md.system.files import atomic_write, write_json, write_text


def test_a_file_takes_the_place_of_another_when_complete(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_what_fails_midway_leaves_the_old_file_alone(tmp_path, error):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    with pytest.raises(type(error)), atomic_write(path) as file:
        file.write(b"half of the new")
        raise error
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_the_error_of_a_full_disk_names_the_file(tmp_path):
    with pytest.raises(OSError) as caught, atomic_write(tmp_path / "a.json"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "a.json")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_disk_that_is_really_full(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError) as caught, atomic_write(path) as file:
        file.write(b"new")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named_by_the_file(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / "nowhere" / "a.json"):
        pass
    assert caught.value.filename == str(tmp_path / "nowhere" / "a.json")


def test_errors_of_other_files_keep_their_names(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / "a.json"):
        open(tmp_path / "source")
    assert caught.value.filename == str(tmp_path / "source")


def test_an_error_that_is_not_of_the_system_is_not_given_a_name(tmp_path):
    with pytest.raises(OSError) as caught, atomic_write(tmp_path / "a.json"):
        raise OSError("image file is truncated")
    assert caught.value.filename is None


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "run.json"
    write_json(file, {"name": "Käfer±"})
    assert json.loads(file.read_text()) == {"name": "Käfer±"} and "Käfer±" in file.read_text()

    def refuse(source, target):
        raise OSError("no")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError):
        write_text(file, "half")
    assert json.loads(file.read_text()) == {"name": "Käfer±"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_is_strict(tmp_path, value):
    file = tmp_path / "a.json"
    write_json(file, {"a": 0.5})
    with pytest.raises(UserError, match="a.json cannot hold a number that is not finite"):
        write_json(file, {"a": [value]})
    assert json.loads(file.read_text()) == {"a": 0.5} and list(tmp_path.iterdir()) == [file]
