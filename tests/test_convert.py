"""The command `python -m alfa_md.convert`, and the handling of bad input common to all commands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared import ROOT


def convert(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run the entry in `folder`, which must not matter to it."""
    command = [sys.executable, "-m", "alfa_md.convert", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["omniglot", "--source_dir=nowhere", "--records_root_dir=records"], "nowhere: no such folder"),
        (["omniglott", "--source_dir=.", "--records_root_dir=records"], "unknown source 'omniglott'; known sources: "),
        (["--source_dir=.", "--records_root_dir=records"], "name checkpoint or one source (aircraft, "),
        (["omniglot", "--records_root_dir=records"], "--source_dir"),
        (["omniglot", "--sauce_dir=.", "--records_root_dir=records"], "sauce_dir"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path, arguments: list[str], message: str):
    result = convert(tmp_path, *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_explains_the_command(tmp_path: Path):
    text = convert(tmp_path, "--help").stdout
    assert "Sources: aircraft, cifar10, cifar100, cu_birds, dtd, folder," in text
    assert "python -m alfa_md.convert SOURCE" in text
    assert "--source_dir" in text and "--records_root_dir" in text
