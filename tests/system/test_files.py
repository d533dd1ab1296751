"""Atomic writes of files."""

import errno
import json
import os

import pytest

from alfa_md.errors import UserError
from alfa_md.system.files import TextLog, atomic_write, create, write_json, write_text
from alfa_md.system.text_files import read_json
from tests.tiny_disk import fill, tiny_disk


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


def test_a_disk_that_is_really_full(tmp_path):
    with tiny_disk(tmp_path / "disk", 16) as disk:
        path = disk / "a.json"
        path.write_bytes(b"old")
        fill(disk)
        with pytest.raises(OSError) as caught, atomic_write(path) as file:
            file.write(b"new")
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
        assert path.read_bytes() == b"old" and {file.name for file in disk.iterdir()} == {"a.json", "filling"}


def test_a_link_in_the_place_of_a_new_file_is_not_followed(tmp_path):
    (tmp_path / "other").write_bytes(b"of somebody else")
    for name, target in (("link", "other"), ("dangling", "nowhere"), ("file", None)):
        path = tmp_path / name
        path.symlink_to(tmp_path / target) if target else path.write_bytes(b"")
        with pytest.raises(FileExistsError):
            create(path)
    assert (tmp_path / "other").read_bytes() == b"of somebody else" and not (tmp_path / "nowhere").exists()


def test_new_files_have_the_permissions_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a", "")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_log_grows_at_once_and_names_itself_on_a_full_disk(tmp_path):
    with tiny_disk(tmp_path / "disk", 16) as disk:
        log = TextLog(disk / "log")
        log.write("±1\n")
        assert (disk / "log").read_text("utf-8") == "±1\n"
        fill(disk)
        with pytest.raises(OSError) as caught:
            for _ in range(5000):
                log.write("line\n")
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(disk / "log"))
        log.close()


def test_a_path_that_is_no_utf8_comes_back_from_json(tmp_path):
    name = os.fsdecode(b"no\xffutf-\xc3\xa9")
    write_json(tmp_path / "a", {"path": name})
    assert (tmp_path / "a").read_text("utf-8") == '{\n "path": "no\\udcffutf-é"\n}\n'
    assert read_json(tmp_path / "a") == {"path": name} and os.fsencode(name) == b"no\xffutf-\xc3\xa9"


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


def test_the_name_of_a_temporary_file_has_the_process(tmp_path):
    """By which a conversion tells the files of killed ones, to remove them."""
    with atomic_write(tmp_path / "0.tfrecords"):
        (temporary,) = tmp_path.iterdir()
        assert temporary.name.split(".")[-3] == str(os.getpid())
