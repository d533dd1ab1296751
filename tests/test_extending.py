"""`docs/extending.md`: its files and rows, added to a copy of the repository, pass their contract tests and train."""

import subprocess
import sys

import pytest

from tests.entries.harness import needs_tensorflow
from tests.extending import sections, write_copy

TITLES = ["An update rule", "A head", "A backbone", "A learner", "An objective", "An episode source", "A converter"]
OTHERS = ("has_a_row", "has_originals", "test_imports")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("extending")
    write_copy(folder)
    return folder


def run(folder, *arguments: str) -> str:
    """The output of `python -m` in a folder, whose package is imported."""
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def test_the_page_has_a_file_a_gin_part_and_a_row_for_each():
    assert [section.title for section in sections()] == TITLES
    for section in sections():
        file, *others = (name for name in section.files if name.startswith("alfa_md/"))
        assert not others and section.part in section.files, section.title
        assert len(section.files[file].splitlines()) <= 33
        assert len(section.row.splitlines()) <= 10
        assert all(len(line) <= 120 for code in section.files.values() for line in code.splitlines())


def test_the_new_rows_pass_their_contract_tests(copy):
    keys = [section.key for section in sections()]
    tests = {section.test.replace("rows.py", "test_contract.py") for section in sections()}
    chosen = " or ".join([*keys, *OTHERS])
    printed = run(copy, "pytest", "-v", "-p", "no:cacheprovider", *sorted(tests), "tests/test_imports.py", "-k", chosen)
    for key in keys:
        assert f"[{key}" in printed or f"-{key}]" in printed, key


@needs_tensorflow
def test_every_gin_part_of_the_page_trains(copy, tmp_path):
    printed = run(copy, "tests.extending", str(tmp_path))
    assert [line for line in printed.splitlines() if line.startswith("trained: ")] == [f"trained: {t}" for t in TITLES]
