"""Headers and lengths of the gin files."""

import re
from pathlib import Path

import pytest

from tests.shared import ROOT

FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "gin").glob("*.gin"))
LEAVES = [file for file in FILES if file != "gin/quickstart.gin"]


def header_and_bindings(file: str) -> tuple[str, list[str]]:
    """The comment that a file begins with, and its own lines that bind something."""
    lines = (ROOT / file).read_text().splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join(lines[:end]), [line for line in lines[end:] if re.match(r"[\w/.]+ =", line)]


@pytest.mark.parametrize("file", FILES)
def test_header_says_row_numbers_cost_and_command(file):
    header, _ = header_and_bindings(file)
    assert re.search(r"Table|published row|benchmark", header, re.IGNORECASE)
    assert re.search(r"accurac|published row", header, re.IGNORECASE) or "Expected" in header
    assert re.search(r"^# .*Cost: ", header, re.MULTILINE)
    command = re.search(r"^# Command: (python -m alfa_md\.train .*)$", header, re.MULTILINE)[1]
    assert f"--gin_config={file}" in command.split()
    assert all((ROOT / named).is_file() for named in re.findall(r"--gin_config=(\S+)", command))


@pytest.mark.parametrize("file", LEAVES)
def test_leaf_files_are_short(file):
    _, bindings = header_and_bindings(file)
    assert len(bindings) <= 10


# Percent on ILSVRC, Omniglot, Aircraft, Birds, Textures, QuickDraw, Fungi, Flower, Signs, MSCOCO.
PUBLISHED = {
    "gin/maml.gin": "45.51 55.55 56.24 63.61 68.04 43.96 32.10 81.74 50.93 35.30",
    "gin/maml_alfa.gin": "51.09 67.89 66.34 67.67 65.34 60.53 37.41 84.28 60.86 40.05",
    "gin/proto_maml.gin": "49.53 63.37 55.95 68.66 66.49 51.52 39.96 87.15 48.83 43.74",
    "gin/proto_maml_alfa.gin": "52.80 61.87 63.43 69.75 70.78 59.17 41.49 85.96 60.78 48.11",
    "gin/prototypical.gin": "50.50 59.98 53.10 68.79 66.56 48.96 39.71 85.27 47.12 41.00",
    "gin/pretrain_imagenet_resnet.gin": "41.03 37.07 46.81 50.13 66.36 32.06 36.16 83.10 44.59 30.38",
    "gin/maml_all.gin": "37.83 83.92 76.41 62.43 64.16 59.73 33.54 79.94 42.91 29.37",
    "gin/proto_maml_all.gin": "46.52 82.69 75.23 69.88 68.25 66.84 41.99 88.72 52.42 41.74",
}


@pytest.mark.parametrize("file", PUBLISHED)
def test_header_quotes_the_published_accuracies_and_their_mean(file):
    header, _ = header_and_bindings(file)
    numbers = [float(number) for number in PUBLISHED[file].split()]
    assert f"{PUBLISHED[file]}, {sum(numbers) / 10 + 1e-9:.2f}" in header


def test_paths_in_includes_exist():
    for file in (ROOT / "gin").rglob("*.gin"):
        for included in re.findall(r"^include '(.+)'$", file.read_text(), re.MULTILINE):
            assert Path(ROOT, included).is_file(), f"{file.name} includes {included}"
