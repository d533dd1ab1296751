"""Locks between processes: held, refused, released with their process, and without effect where there are none."""

import errno
import fcntl
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from alfa_md.errors import UserError
from alfa_md.system.lock import exclusive_lock, is_abandoned, lock_or_refuse
from tests.shared import ROOT

HOLD = """
import os, sys
from pathlib import Path
from alfa_md.system.lock import exclusive_lock
with exclusive_lock(Path("lock")):
    if "fork" not in sys.argv or not os.fork():
        print(os.getpid(), flush=True)
    sys.stdin.read()
"""


@contextmanager
def other(folder, *arguments):
    """Another process that holds folder/lock until its input ends, and its id or that of its child."""
    command, pipe = [sys.executable, "-c", HOLD, *arguments], subprocess.PIPE
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, env=environment) as process:
        yield process, int(process.stdout.readline())
        process.kill()


def test_a_lock_that_another_process_holds(tmp_path):
    path = tmp_path / "lock"
    with other(tmp_path) as (process, _):
        with pytest.raises(UserError, match="^in use$"), lock_or_refuse(path, "in use"):
            pytest.fail("held twice")
        assert not is_abandoned(path)
        process.stdin.close()
        with exclusive_lock(path):  # waits for the end of the other process
            assert process.wait(timeout=20) == 0


def test_a_killed_process_holds_no_lock_nor_do_its_children(tmp_path):
    with other(tmp_path, "fork") as (process, child):
        process.kill()
        process.wait()
        os.kill(child, 0)  # is still there
        assert is_abandoned(tmp_path / "lock")
        with lock_or_refuse(tmp_path / "lock", "in use"):
            pass


def test_within_one_process_too(tmp_path):
    path = tmp_path / "lock"
    with lock_or_refuse(path, "in use"), pytest.raises(UserError, match="^in use$"), lock_or_refuse(path, "in use"):
        pytest.fail("held twice")
    with lock_or_refuse(path, "in use"):
        pass
    assert is_abandoned(path) and is_abandoned(tmp_path / "missing")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def test_a_file_system_without_locks_does_not_block(tmp_path, monkeypatch, number):
    def without(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", without)
    path = tmp_path / "lock"
    with exclusive_lock(path), lock_or_refuse(path, "in use"):
        assert not is_abandoned(path)
    assert [file.name for file in tmp_path.iterdir()] in ([], ["lock"])


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("file/lock", "link"):
        with pytest.raises(OSError), lock_or_refuse(tmp_path / name, "in use"):
            pytest.fail(name)
        assert not is_abandoned(tmp_path / name)
    assert not (tmp_path / "elsewhere").exists()
