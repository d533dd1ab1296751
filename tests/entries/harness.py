"""Runs `python -m alfa_md.X`, and creates a small records root with a run directory."""

import contextlib
import io
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import gin
import pytest
from absl import flags
from PIL import Image

from alfa_md.data.spec import DatasetSpec, save_spec
from alfa_md.data.tfrecord.records import encode_example, write_records
from tests.shared import ROOT

needs_tensorflow = pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")
EVERY_SPLIT = {"train": 6, "valid": 5, "test": 7}
SOURCES = {"ilsvrc_2012": EVERY_SPLIT, "omniglot": EVERY_SPLIT, "traffic_sign": {"train": 0, "valid": 0, "test": 7}}
IMAGES = 12  # of every class
CONFIG = ("--gin_config=gin/proto_maml_alfa.gin", "--gin_config=gin/quickstart.gin")
TINY = (
    *("FourLayerConvNet.num_filters = 4", "IMAGE_SIZE = 16", "GradientLearner.num_steps = 1"),
    *("Sampling.max_ways_upper_bound = 5", "Sampling.max_support_set_size = 20"),
    *("train.num_updates = 2", "train.num_validation_episodes = 2", "cache = None"),
)


class Outcome(NamedTuple):
    """Exit code, stdout and stderr of a command."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The error line of bad input; asserts exit code 2 and an otherwise empty stderr."""
        assert self.code == 2, self
        assert self.err.startswith("error: ") and self.err.count("\n") == 1 and self.err.endswith("\n"), self.err
        return self.err.removeprefix("error: ").rstrip()


def run_entry(name: str, *arguments: object, cwd: Path) -> Outcome:
    """Runs a command in this process, as `__main__` in the folder `cwd`, so that TensorFlow is imported only once.

    `__main__` is the console command, whose first argument is the name of a command.
    """
    out, err, code = io.StringIO(), io.StringIO(), 0
    sys.modules.pop(f"alfa_md.{name}", None)  # runpy would warn that it runs twice
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        stack.enter_context(working_directory(cwd))
        stack.enter_context(mock.patch.object(sys, "argv", [name, *map(str, arguments)]))
        stack.callback(forget, str(arguments[0]) if name == "__main__" and arguments else name)
        try:
            runpy.run_module(f"alfa_md.{name}", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            code = end.code or 0
    return Outcome(code, out.getvalue(), err.getvalue())


def spawn_entry(name: str, *arguments: object, cwd: Path, first: Path = ROOT) -> Outcome:
    """Runs a command in a subprocess; modules in folder `first` take precedence."""
    command = [sys.executable, "-m", f"alfa_md.{name}", *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(first), str(ROOT)]), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    return Outcome(result.returncode, result.stdout, result.stderr)


def forget(name: str) -> None:
    """Clears the flags and the configuration of a command."""
    file = str(ROOT / "alfa_md" / f"{name}.py")
    for flag in flags.FLAGS.flags_by_module_dict().pop(file, ()):
        delattr(flags.FLAGS, flag.name)
    gin.clear_config()


@contextlib.contextmanager
def working_directory(path: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def environment(cache: Path) -> Iterator[None]:
    """Hides the user's records and uses a temporary cache directory."""
    with mock.patch.dict(os.environ, {"ALFA_MD_CACHE": str(cache)}):
        os.environ.pop("META_DATASET_RECORDS", None)
        yield


def bindings(*lines: str) -> list[str]:
    """The flags of a tiny configuration, followed by `lines`."""
    return [*CONFIG, *(f"--gin_bindings={line}" for line in (*TINY, *lines))]


def with_defaults(defaults: Iterable[str], flags: Sequence[object]) -> list[str]:
    """The default flags that `flags` do not set anew, followed by them; lists of gin files and bindings add up."""
    given = [str(flag) for flag in flags]
    names = {flag.partition("=")[0] for flag in given} - {"--gin_config", "--gin_bindings"}
    return [flag for flag in defaults if flag.partition("=")[0] not in names] + given


def write_root(root: Path) -> Path:
    """Writes three sources of single-colour images: a class is a colour, an image a shade of it."""
    for name, classes in SOURCES.items():
        number = sum(classes.values())
        names = tuple(f"colour {class_id}" for class_id in range(number))
        spec = DatasetSpec(name, names, (IMAGES,) * number, classes, root / name)
        save_spec(spec, root / name)
        for class_id in range(number):
            examples = (encode_example(shade(class_id, image), class_id) for image in range(IMAGES))
            write_records(spec.class_file(class_id), examples)
    return root


def shade(class_id: int, image: int) -> bytes:
    """A small PNG of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (10 * class_id, 20 * image, 255 - 13 * class_id)).save(file, "PNG")
    return file.getvalue()


def small_run(folder: Path, root: Path) -> Path:
    """Trains for two updates on the records of `root`; returns the run directory in `folder`."""
    outcome = run_entry("train", *bindings(), f"--records_root_dir={root}", "--run_dir=run", cwd=folder)
    assert outcome.code == 0, outcome
    return folder / "run"


def copied(folder: Path, to: Path) -> Path:
    """A copy of a folder, to be damaged."""
    return Path(shutil.copytree(folder, to))


def contents(folder: Path) -> dict[str, bytes]:
    """The contents of all files under a folder, to detect changes."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
