"""The run directory: files of one training run."""

import os
import platform
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import torch

from alfa_md import __version__
from alfa_md.errors import UserError
from alfa_md.experiment import config
from alfa_md.experiment.memory_bindings import SAVING
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from alfa_md.system.files import read_json, write_json, write_text
from alfa_md.system.lock import lock_or_refuse

FACTS = {"name", "seed", "data_root", "data_kind"}  # required keys of run.json
SIZES = "sizes"  # the key of a run at small sizes, see `experiment.small_sizes`


class RunDirectory:
    """Paths of a run: config.gin, run.json, metrics.jsonl, tensorboard/, results/, pretrain/, and in checkpoints/
    last.pt, previous.pt, best.pt, and top/ with the weights of the best validations and their ranking.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path).expanduser()
        self.config = self.path / "config.gin"
        self.facts_file = self.path / "run.json"
        self.metrics = self.path / "metrics.jsonl"
        self.tensorboard = self.path / "tensorboard"
        self.last = self.path / "checkpoints" / "last.pt"
        self.previous = self.path / "checkpoints" / "previous.pt"  # the one before last.pt
        self.best = self.path / "checkpoints" / "best.pt"
        self.top = self.path / "checkpoints" / "top"
        self.ranking = self.top / "ranking.json"  # file name -> mean validation score, best first
        self.results = self.path / "results"

    @contextmanager
    def claimed(self, operative: str, facts: dict, group: ProcessGroup = SINGLE_PROCESS) -> Iterator[None]:
        """Creates the directory for a run of this configuration, or checks that it belongs to it, and holds its lock.

        Memory-saving bindings may differ from config.gin, which is not rewritten. Raises UserError if the directory
        belongs to another configuration or data, is in use, or cannot be written.
        """
        with self._locked() if group.is_first else nullcontext():
            if group.is_first:
                self._claim(operative, facts)
            group.broadcast(None)  # barrier: rank 0 has created the files
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with ExitStack() as stack:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                refusal = f"{self.path} is in use by another training run; wait for it, or choose another --run_dir"
                stack.enter_context(lock_or_refuse(self.path / ".lock", refusal))
            except OSError as error:
                raise self._unwritable(error) from error
            yield

    def _claim(self, operative: str, facts: dict) -> None:
        if self.config.exists():
            self._refuse_other(operative, facts)
            return
        if self.last.exists():
            raise UserError(f"{self.path} holds checkpoints but no config.gin; choose another --run_dir")
        try:
            self.last.parent.mkdir(exist_ok=True)
            self.results.mkdir(exist_ok=True)
            write_json(self.facts_file, facts | environment())
            write_text(self.config, operative + (f"\n# Sizes: {facts[SIZES]}.\n" if SIZES in facts else ""))
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(f"cannot write to run directory {self.path}: {error.strerror}; choose another --run_dir")

    def facts(self) -> dict:
        """The content of run.json. Raises UserError if this is not a run directory."""
        if not (self.config.is_file() and self.facts_file.is_file()):
            raise UserError(f"{self.path} is not a run directory (no config.gin and run.json); see --run_dir")
        facts = read_json(self.facts_file)
        if not isinstance(facts, dict) or not FACTS <= facts.keys():
            raise UserError(f"{self.facts_file} lacks some of {', '.join(sorted(FACTS))}; restore it")
        return facts

    def checkpoint(self, name: str) -> Path:
        """The path of a checkpoint given as `best`, `last` or a path."""
        return {"best": self.best, "last": self.last}.get(name, Path(name))

    def top_file(self, update: int) -> Path:
        """The path of the weights after an update whose validation is among the best."""
        return self.top / f"update_{update}.pt"

    def write_ranking(self, ranking: Mapping[int, float]) -> None:
        """Writes the ranking (update -> mean, best first) of the existing files in top/."""
        if ranking or self.top.exists():
            files = {self.top_file(update): mean for update, mean in ranking.items()}
            write_json(self.ranking, {file.name: mean for file, mean in files.items() if file.exists()})

    def remove_unranked(self, ranking: Mapping[int, float]) -> None:
        """Removes the files in top/ that are not in `ranking`, which must be that of the checkpoint to resume from."""
        for file in set(self.top.glob("*.pt")) - {self.top_file(update) for update in ranking}:
            file.unlink()

    def ensemble_checkpoints(self) -> list[Path]:
        """The checkpoints of the best validations, best first. Raises UserError if training has kept none."""
        names = read_json(self.ranking) if self.ranking.exists() else {}
        if not isinstance(names, dict):
            raise UserError(f"{self.ranking} is damaged (no ranking of files); use --checkpoint=best")
        if not names:
            raise UserError(f"{self.path} holds no checkpoints of the best validations; train first")
        return [self.top / Path(name).name for name in names]

    def _refuse_other(self, operative: str, facts: dict) -> None:
        changed = config.differences(self.config.read_text(), operative, but=SAVING)
        old = self.facts()
        drawn = old.get("data_kind") == facts.get("data_kind") == "miniature"  # the same in every cache directory
        compared = [key for key in facts if not (drawn and key == "data_root")]
        changed += [f"{key}: {old.get(key)} -> {facts[key]}" for key in compared if old.get(key) != facts[key]]
        if changed:
            raise UserError(
                f"{self.path} is a run of another configuration ({'; '.join(changed)}); choose another --run_dir"
            )


def environment() -> dict:
    """Command, versions and machine, stored with a run."""
    return {
        "command": shlex.join(sys.argv),
        "alfa_md": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores"
        + (f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""),
    }
