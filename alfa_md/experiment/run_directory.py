"""The run directory: files of one training run."""

import json
import os
import platform
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from math import isfinite
from pathlib import Path

import torch

from alfa_md import __version__
from alfa_md.data.fields import short_repr
from alfa_md.episode import EpisodeSource
from alfa_md.errors import UserError
from alfa_md.experiment import exported_weights
from alfa_md.experiment.data_record import data_record, is_data_record
from alfa_md.experiment.resumption import changed_bindings, changed_facts, resumed_facts, split_extension
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from alfa_md.system.files import write_json, write_text
from alfa_md.system.lock import lock_or_refuse
from alfa_md.system.text_files import read_json
from alfa_md.system.user_path import user_path

FACTS = {"name": str, "seed": int, "data_root": str, "data_kind": str}  # required in run.json
DAMAGED = "restore it or choose another --run_dir"
TOP_FILE = re.compile(r"update_\d+\.pt")
SIZES = "sizes"  # the key of a run at small sizes, see `experiment.small_sizes`


class RunDirectory:
    """Paths of a run: config.gin, run.json, metrics.jsonl, tensorboard/, results/, pretrain/, and in checkpoints/
    last.pt, previous.pt, best.pt, and top/ with the weights of the best validations and their ranking.

    An exported run has model.safetensors in place of metrics and checkpoints: see `alfa_md.export`.
    """

    def __init__(self, path: str | Path):
        self.path = user_path(path)
        self.config = self.path / "config.gin"
        self.facts_file = self.path / "run.json"
        self.metrics = self.path / "metrics.jsonl"
        self.tensorboard = self.path / "tensorboard"
        self.last = self.path / "checkpoints" / "last.pt"
        self.previous = self.path / "checkpoints" / "previous.pt"  # the one before last.pt
        self.best = self.path / "checkpoints" / "best.pt"
        self.top = self.path / "checkpoints" / "top"
        self.ranking = self.top / "ranking.json"  # file name -> mean validation score or null, best first
        self.results = self.path / "results"
        self.exported = self.path / exported_weights.FILE

    @contextmanager
    def claimed(
        self,
        operative: str,
        facts: dict,
        sources: Sequence[EpisodeSource] = (),
        group: ProcessGroup = SINGLE_PROCESS,
    ) -> Iterator[int | None]:
        """Creates the directory for a run of this configuration on these sources, or checks that it belongs to it.

        Holds its lock. Yields the earlier train.num_updates if the configuration raises it; otherwise it may differ
        from config.gin, which is not rewritten, in memory-saving bindings alone. Raises UserError if the directory
        belongs to another configuration or data, is in use, or cannot be written.
        """
        with self._locked() if group.is_first else nullcontext():
            earlier = self._claim(operative, facts, sources) if group.is_first else None
            yield group.broadcast(earlier)  # also a barrier: rank 0 has created the files

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

    def _claim(self, operative: str, facts: dict, sources: Sequence[EpisodeSource]) -> int | None:
        if self.exported.exists():
            raise UserError(
                f"{self.path} is an exported run, from which training cannot go on; choose another --run_dir, and bind "
                "PRETRAINED to this folder to begin with its backbone"
            )
        if not self.config.exists() and self.last.exists():
            raise UserError(f"{self.path} holds checkpoints but no config.gin; choose another --run_dir")
        if self.config.exists():
            earlier, known = self._resume(operative, facts, sources)
        else:
            earlier, known = None, facts | {"data": data_record(sources)} | environment()
        try:
            self.last.parent.mkdir(exist_ok=True)
            self.results.mkdir(exist_ok=True)
            if not self.config.exists() or known != self.facts():
                write_json(self.facts_file, known)
            if not self.config.exists():
                write_text(self.config, operative + (f"\n# Sizes: {facts[SIZES]}.\n" if SIZES in facts else ""))
        except OSError as error:
            raise self._unwritable(error) from error
        return earlier

    def _resume(self, operative: str, facts: dict, sources: Sequence[EpisodeSource]) -> tuple[int | None, dict]:
        """The earlier train.num_updates if it is raised, and the content of run.json. Raises UserError."""
        old = self.facts()
        try:
            earlier, changed = split_extension(changed_bindings(self.config_text(), operative, old))
        except (ValueError, TypeError) as error:  # of gin, for a name that it does not know
            reason = str(error).splitlines()[0]
            raise UserError(f"{self.config} is damaged ({reason}); {DAMAGED}") from error
        changed += changed_facts(old, facts)
        if changed:
            raise UserError(
                f"{self.path} is a run of another configuration ({'; '.join(changed)}); choose another --run_dir"
            )
        return earlier, resumed_facts(old, facts | environment(), sources, self.path)

    def extend(self, num_updates: int) -> None:
        """Writes another train.num_updates to config.gin."""
        text = re.sub(r"^(train\.num_updates = )\d+$", rf"\g<1>{num_updates}", self.config_text(), flags=re.MULTILINE)
        write_text(self.config, text)

    def config_text(self) -> str:
        """The content of config.gin. Raises UserError if it is no text."""
        try:
            return self.config.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{self.config} is damaged: it is no text; {DAMAGED}") from error

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(f"cannot write to run directory {self.path}: {error.strerror}; choose another --run_dir")

    def facts(self) -> dict:
        """The content of run.json. Raises UserError if this is not a run directory."""
        if not (self.config.is_file() and self.facts_file.is_file()):
            raise UserError(f"{self.path} is not a run directory (no config.gin and run.json); see --run_dir")
        facts = read_json(self.facts_file, DAMAGED)
        if not isinstance(facts, dict) or not FACTS.keys() <= facts.keys():
            raise UserError(f"{self.facts_file} lacks some of {', '.join(sorted(FACTS))}; restore it")
        wrong = [key for key, kind in FACTS.items() if type(facts[key]) is not kind]
        if wrong or not 0 <= facts["seed"] < 2**64:
            key = [*wrong, "seed"][0]
            raise UserError(f"{self.facts_file} is damaged: {key} = {short_repr(facts[key])}; restore it")
        try:
            json.dumps(facts, ensure_ascii=False, allow_nan=False).encode()
        except ValueError as error:
            raise UserError(
                f"{self.facts_file} is damaged: it holds what JSON has not ({error}); restore it"
            ) from error
        if not is_data_record(facts.get("data", {})):
            raise UserError(
                f"{self.facts_file} is damaged: its data is no record of files; restore or remove that entry"
            )
        return facts

    def checkpoint(self, name: str) -> Path:
        """The path of a checkpoint given as `best`, `last` or a path.

        Raises UserError for `last` of an exported run, which has one checkpoint.
        """
        if self.exported.exists() and name in ("best", "last"):
            self._require_best(name)
            return self.exported
        return {"best": self.best, "last": self.last}.get(name, Path(name))

    def _require_best(self, name: str) -> None:
        if self.exported.exists() and name != "best":
            raise UserError(f"{self.path} is an exported run, with one checkpoint; leave --checkpoint={name} out")

    def top_file(self, update: int) -> Path:
        """The path of the weights after an update whose validation is among the best."""
        return self.top / f"update_{update}.pt"

    def write_ranking(self, ranking: Mapping[int, float]) -> None:
        """Writes the ranking (update -> mean, best first) of the existing files in top/."""
        if ranking or self.top.exists():
            self.top.mkdir(parents=True, exist_ok=True)  # it may have been removed
            files = {self.top_file(update): mean if isfinite(mean) else None for update, mean in ranking.items()}
            write_json(self.ranking, {file.name: mean for file, mean in files.items() if file.exists()})

    def remove_unranked(self, ranking: Mapping[int, float]) -> None:
        """Removes the files in top/ that are not in `ranking`, which must be that of the checkpoint to resume from."""
        for file in set(self.top.glob("*.pt")) - {self.top_file(update) for update in ranking}:
            file.unlink()

    def ensemble_checkpoints(self) -> list[Path]:
        """The checkpoints of the best validations, best first. Raises UserError if training has kept none."""
        self._require_best("ensemble")
        names = read_json(self.ranking, DAMAGED) if self.ranking.exists() else {}
        if not isinstance(names, dict) or not all(map(TOP_FILE.fullmatch, names)):
            raise UserError(f"{self.ranking} is damaged (no ranking of files); use --checkpoint=best")
        if not names:
            raise UserError(f"{self.path} holds no checkpoints of the best validations; train first")
        return [self.top / name for name in names]


def environment() -> dict:
    """Command, versions and machine, stored with a run."""
    return {
        "command": shlex.join(sys.argv),
        "alfa_md": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores"
        + (f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""),
    }
