"""Environments with an installation of this package from a wheel or an sdist, outside the repository."""

import os
import shutil
import subprocess
import sys
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

from tests.shared import ROOT

LEFT = shutil.ignore_patterns(".git", ".venv", "build", "dist", "runs", "*.egg-info", "__pycache__", ".*_cache")


class Installation(NamedTuple):
    """An environment, and an empty folder to run commands from."""

    folder: Path
    work: Path

    @property
    def site_packages(self) -> Path:
        return next((self.folder / "lib").glob("python*/site-packages"))

    def run(self, *words: str) -> str:
        """Runs a program of the environment in the empty folder; returns what it prints. Asserts that it succeeds."""
        command = [str(self.folder / "bin" / words[0]), *words[1:]]
        names = os.environ.keys() - {"PYTHONPATH", "PYTHONHOME", "META_DATASET_RECORDS"}
        environment = {name: os.environ[name] for name in names} | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=self.work, env=environment, capture_output=True, encoding="utf-8")
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout


def build_wheel(folder: Path) -> Path:
    """The wheel of a copy of this repository, built in `folder` as `pip wheel .` does."""
    python("-m", "pip", "wheel", "--quiet", "--no-deps", f"--wheel-dir={folder}", str(copied(folder)))
    (wheel,) = folder.glob("*.whl")
    return wheel


def build_sdist(folder: Path) -> Path:
    """The sdist of a copy of this repository, built in `folder` as `python -m build --sdist` does."""
    python("-m", "build", "--sdist", f"--outdir={folder}", str(copied(folder)))
    (sdist,) = folder.glob("*.tar.gz")
    return sdist


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(ROOT, folder / "clone", ignore=LEFT))


def install(file: Path, folder: Path) -> Installation:
    """Installs a wheel or an sdist with the libraries that it requires without extras, and no others.

    The libraries are those of this environment, by links: they need no download.
    """
    venv.create(folder / "environment", with_pip=False)
    (folder / "empty").mkdir()
    made = Installation(folder / "environment", folder / "empty")
    options = ("--quiet", "--no-deps", "--no-warn-script-location")
    python("-m", "pip", f"--python={made.folder / 'bin' / 'python'}", "install", *options, str(file))
    (own,) = Distribution.discover(name="alfa_md", path=[str(made.site_packages)])
    for name in required(own, set()):
        for part in {path.parts[0] for path in distribution(name).files or ()} - {"..", "__pycache__"}:
            link = made.site_packages / part
            if not link.exists():
                link.symlink_to(Path(str(distribution(name).locate_file(part))))
    return made


def required(package: Distribution, found: set[str]) -> set[str]:
    """The names of the distributions that a package requires without extras, and these in turn."""
    for requirement in map(Requirement, package.requires or ()):
        marked = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if marked and requirement.name not in found:
            found.add(requirement.name)
            required(distribution(requirement.name), found)
    return found


def python(*words: str) -> None:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, (words, done.stdout, done.stderr)
