"""The folder of one training run, and what lies where in it."""

import json
import os
import platform
import shlex
import sys
from pathlib import Path

import torch

from alfa_md import __version__, config
from alfa_md.errors import UserError


class RunDirectory:
    """config.gin, run.json, metrics.jsonl, tensorboard/, checkpoints/{last,best}.pt, results/."""

    def __init__(self, path: str | Path):
        self.path = Path(path).expanduser()
        self.config = self.path / "config.gin"
        self.facts_file = self.path / "run.json"
        self.metrics = self.path / "metrics.jsonl"
        self.tensorboard = self.path / "tensorboard"
        self.last = self.path / "checkpoints" / "last.pt"
        self.best = self.path / "checkpoints" / "best.pt"
        self.results = self.path / "results"

    def open(self, operative: str, facts: dict) -> None:
        """Makes the folder for a run of this configuration, or finds it made for the same one.

        Raises UserError where it belongs to another configuration or data, or cannot be written.
        """
        if self.config.exists():
            self._refuse_other(operative, facts)
            return
        if self.last.exists():
            raise UserError(f"{self.path} holds checkpoints but no config.gin; choose another --run_dir")
        try:
            self.last.parent.mkdir(parents=True, exist_ok=True)
            self.results.mkdir(exist_ok=True)
            write_json(self.facts_file, facts | environment())
            write_text(self.config, operative)
        except OSError as error:
            raise UserError(
                f"cannot write to run directory {self.path}: {error.strerror}; choose another --run_dir"
            ) from error

    def facts(self) -> dict:
        """What `open` was told of the run. Raises UserError where there is none."""
        if not (self.config.is_file() and self.facts_file.is_file()):
            raise UserError(f"{self.path} is not a run directory (no config.gin and run.json); see --run_dir")
        return read_json(self.facts_file)

    def checkpoint(self, name: str) -> Path:
        """The file of a checkpoint given as `best`, `last` or a path."""
        return {"best": self.best, "last": self.last}.get(name, Path(name))

    def _refuse_other(self, operative: str, facts: dict) -> None:
        changed = config.differences(self.config.read_text(), operative)
        old = self.facts()
        changed += [f"{key}: {old.get(key)} -> {facts[key]}" for key in facts if old.get(key) != facts[key]]
        if changed:
            raise UserError(
                f"{self.path} is a run of another configuration ({'; '.join(changed)}); choose another --run_dir"
            )


def environment() -> dict:
    """What a reader of a result may want to know of the machine and the versions."""
    return {
        "command": shlex.join(sys.argv),
        "alfa_md": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores"
        + (f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""),
    }


def write_text(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text)
    os.replace(temporary, path)


def read_json(path: Path) -> dict:
    """What `write_json` wrote. Raises UserError where the file is damaged."""
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); restore it or choose another --run_dir") from error


def write_json(path: Path, content: dict) -> None:
    """Writes a JSON file whole or not at all."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
