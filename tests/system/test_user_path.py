"""Paths of users, with and without home folders."""

from pathlib import Path

import pytest

from alfa_md.data.paths import cache_dir
from alfa_md.errors import UserError
from alfa_md.system.user_path import output_path, user_path


def test_home_folders_are_inserted(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert user_path("~/a") == Path("/home/me/a") and user_path("a/~") == Path("a/~")


def test_an_unknown_home_folder_is_one_line():
    with pytest.raises(UserError, match=r"^~nosuchuser/a: the home folder ~nosuchuser is not known; write the whole"):
        user_path("~nosuchuser/a")


@pytest.mark.parametrize("given", [".", "..", "/", "a/.."])
def test_a_file_to_write_has_a_name(given):
    with pytest.raises(UserError, match="is a folder, not the name of a file"):
        output_path(given)
    assert output_path("a.png") == Path("a.png")


def test_a_process_without_home_is_told_the_variable_of_the_cache(monkeypatch):
    for name in ("ALFA_MD_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)  # of no account, as in a container
    with pytest.raises(UserError, match="^no home folder for the cache; set ALFA_MD_CACHE or --cache_dir to a folder$"):
        cache_dir()
    monkeypatch.setenv("ALFA_MD_CACHE", "/cache")
    assert cache_dir() == Path("/cache")
