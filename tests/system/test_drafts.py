"""Drafts beside a result: removed with their process, or by the next one if it was killed."""

import subprocess
import sys

import pytest

from alfa_md.system.drafts import draft_folder
from tests.shared import ROOT

BEGIN = """
import sys
from pathlib import Path
from alfa_md.system.drafts import draft_folder
with draft_folder(Path("result")) as draft:
    (draft / "half").write_bytes(bytes(1000))
    print("begun", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process at work on its draft."""
    command, pipe = [sys.executable, "-c", BEGIN], subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdin=pipe, stdout=pipe, env={"PYTHONPATH": str(ROOT)}) as process:
        assert process.stdout.readline() == b"begun\n"
        yield process
        process.kill()


def names(folder) -> list[str]:
    return sorted(path.suffix or path.name for path in folder.iterdir())


def test_the_draft_of_a_killed_process_is_removed_by_the_next(tmp_path, other):
    other.kill()
    other.wait()
    assert names(tmp_path) == [".draft", ".lock"]
    with draft_folder(tmp_path / "result") as draft:
        assert list(draft.iterdir()) == [] and names(tmp_path) == [".draft", ".lock"]
        draft.rename(tmp_path / "result")
    assert names(tmp_path) == ["result"]


def test_the_draft_of_a_process_at_work_is_left_alone(tmp_path, other):
    with draft_folder(tmp_path / "result"):
        assert names(tmp_path) == [".draft", ".draft", ".lock", ".lock"]
    assert names(tmp_path) == [".draft", ".lock"]
    other.stdin.close()
    assert other.wait() == 0 and names(tmp_path) == []


def test_drafts_of_other_results_are_left_alone(tmp_path, other):
    other.kill()
    other.wait()
    with draft_folder(tmp_path / "resul"), draft_folder(tmp_path / "result2"):
        pass
    assert names(tmp_path) == [".draft", ".lock"]


def test_what_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), draft_folder(tmp_path / "new" / "result") as draft:
        (draft / "half").write_bytes(b"")
        raise ZeroDivisionError
    assert list((tmp_path / "new").iterdir()) == []
