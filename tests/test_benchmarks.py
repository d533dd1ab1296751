"""The benchmark of readers: all of them give an episode, and its table has a row for each."""

import subprocess
import sys

import pytest

from benchmarks.readers import READERS
from benchmarks.records import KINDS, Kind, synthesise
from tests.shared import ROOT

TINY = Kind(9, 14, 40, 30, 5.0)


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_gives_episodes(reader, tmp_path, monkeypatch):
    monkeypatch.setitem(KINDS, "tiny", TINY)
    monkeypatch.setenv("ALFA_MD_CACHE", str(tmp_path / "cache"))
    read = READERS[reader](synthesise("tiny", tmp_path))
    for _ in range(2):
        images = read()
        assert images.shape == (96, 3, 84, 84) and -1 <= images.min() < images.max() <= 1


@pytest.mark.slow
def test_the_table_has_a_row_for_every_reader(tmp_path):
    command = [sys.executable, "-m", "benchmarks.data", f"--records={tmp_path}", "--rounds=1", "--kinds=omniglot-like"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert all(f"\n| {reader} | " in done.stdout for reader in READERS)
