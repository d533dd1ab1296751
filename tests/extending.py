"""The files, gin parts and rows of `docs/extending.md`, added to a copy of the repository.

`python -m tests.extending FOLDER`, in such a copy, trains two small updates from every gin part; runs go to FOLDER.
"""

import ast
import re
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import torch

from alfa_md.data.convert import planner
from alfa_md.data.convert_common.write import write_source
from alfa_md.data.miniature import miniature_root
from alfa_md.data.roots import Root
from alfa_md.experiment import config, definition
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.training import loop
from tests.entries.harness import TINY
from tests.shared import ROOT

COPIED = ("alfa_md", "docs", "gin", "tests")
WITHOUT_IMAGES = ("train.num_updates = 2", "train.num_validation_episodes = 2")
QUICKSTART = "gin/quickstart.gin"


class Section(NamedTuple):
    """A section of the page: new files, a row of `table` in `test`, and the gin part, which is given after `base`."""

    title: str
    files: dict[str, str]
    test: str
    table: str
    row: str
    part: str
    base: str

    @property
    def key(self) -> str:
        """The name of the new row."""
        return re.search(rf'^{self.table}\["(\w+)"\]', self.row, re.MULTILINE)[1]


def sections(page: Path = ROOT / "docs" / "extending.md") -> list[Section]:
    """The sections of the page; the first line of every code block says where it belongs."""
    return [_section(*text.split("\n", maxsplit=1)) for text in page.read_text().split("\n## ")[1:]]


def _section(title: str, text: str) -> Section:
    files, fields = {}, {}
    for head, content in re.findall(r"^```\w+\n# (.*)\n((?:.*\n)*?)```", text, re.MULTILINE):
        if row := re.fullmatch(r"(\S+): a row of (\w+)", head):
            fields |= {"test": row[1], "table": row[2], "row": content}
            continue
        name, _, base = head.partition(", after ")
        files[name] = content
        if base:
            fields |= {"part": name, "base": base}
    return Section(title=title, files=files, **fields)


def write_copy(folder: Path) -> None:
    """Copies the repository to `folder` and adds every file and row of the page."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "stored_runs"))
    for section in sections():
        for name, content in section.files.items():
            assert not (folder / name).exists(), name
            (folder / name).write_text(content)
        test = folder / section.test
        test.write_text(with_row(test.read_text(), section.table, section.row))


def with_row(module: str, table: str, row: str) -> str:
    """The text of a test module with the statements of `row` after the definition of `table`."""
    assigned = (node for node in ast.parse(module).body if isinstance(node, ast.Assign))
    end = next(node.end_lineno for node in assigned if ast.unparse(node.targets[0]) == table)
    lines = module.splitlines()
    return "\n".join([*lines[:end], row, *lines[end:], ""])


def train(section: Section, folder: Path) -> None:
    """Two updates from the gin part of a section; on images after the quickstart and at the size of the fast tests."""
    images = section.base.startswith("gin/proto")
    before, bindings = ([section.base, QUICKSTART], TINY) if images else ([section.base], WITHOUT_IMAGES)
    config.parse([*before, section.part], bindings)
    experiment, root = definition.build_experiment(0), data_root(section, folder)
    facts = {"name": "tiny", "seed": 0, "data_root": str(root.path), "data_kind": root.kind}
    state = loop.train(experiment, RunDirectory(folder / "run"), root.path, facts, torch.device("cpu"))
    assert state.step == 2


def data_root(section: Section, folder: Path) -> Root:
    """The miniature, or records that the converter of the section has written from its synthetic originals."""
    for name in section.files:
        if name.startswith("tests/data/convert/originals/"):
            originals = import_module(name.removesuffix(".py").replace("/", ".")).write(folder / "originals")
            write_source(planner(Path(name).stem)(originals), folder / "records")
            return Root(folder / "records", "records")
    return Root(miniature_root(), "miniature")


if __name__ == "__main__":
    for number, section in enumerate(sections()):
        train(section, Path(sys.argv[1]) / str(number))
        print(f"trained: {section.title}")
