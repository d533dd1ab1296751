"""Checkpoints of training runs: atomic writes, verified checksums, and loading without executing pickled code.

A file is what `torch.save` writes: a zip archive with a checksum for every tensor, and all checksums are verified
before the content is used. The weights of an exported run, as safetensors, are read as a checkpoint of weights alone.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from alfa_md.errors import UserError, WrongPart
from alfa_md.experiment.checkpoint_parts import (
    check_counts,
    check_generator,
    check_optimizer,
    check_schedule,
    is_count,
    is_named_tensors,
)
from alfa_md.experiment.exported_weights import weights_content
from alfa_md.experiment.ranking import Ranking
from alfa_md.experiment.safetensors_file import SUFFIX
from alfa_md.experiment.tensorflow_checkpoint import refuse_tensorflow_checkpoint
from alfa_md.experiment.torch_archive import ANOTHER, DamagedCheckpoint, load_archive
from alfa_md.learners.base import Learner
from alfa_md.system.files import create

WEIGHTS = {"learner", "step"}  # keys of every checkpoint
STATE = WEIGHTS | {
    "optimizer",
    "schedule",
    "validated",
    "best",
    "ranking",
    "spent",
    "rng",
}  # to resume from
BACKBONE = "backbone."


class LoadedWeights(NamedTuple):
    """Weights loaded from a checkpoint: the number of their outer updates, and the hash of the bytes that were read."""

    updates: int
    hash: str  # the first 16 hex digits of the SHA-256


@dataclass
class TrainState:
    """State of a training run: learner, optimiser, schedule, number of updates done, best validations so far."""

    learner: Learner
    optimizer: Optimizer
    schedule: LRScheduler
    step: int = 0
    validated: int = -1  # update of the last validation
    ranking: Ranking = field(default_factory=dict)  # the best validations
    spent: dict[str, float] = field(default_factory=dict)  # seconds and cpu_seconds of the run so far
    saved: tuple[int, int] = (0, -1)  # (step, validated) of the last checkpoint

    @property
    def best(self) -> float | None:
        """The mean validation score of the best checkpoint, None before the first validation."""
        return next(iter(self.ranking.values()), None)

    def save(self, path: Path, previous: Path | None = None) -> None:
        """Writes the state to `path`; an earlier file is replaced atomically, and kept as `previous` if given."""
        content = {
            "learner": self.learner.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": self.step,
            "validated": self.validated,
            "best": self.best,
            "ranking": self.ranking,
            "spent": self.spent,
            "rng": torch.get_rng_state(),
        }
        write_checkpoint(path, content, previous)

    def restore(self, path: Path) -> None:
        """Restores what `save` wrote. Raises UserError if the file is damaged or of another configuration."""
        content = load_checkpoint(path)
        if missing := STATE - content.keys():
            raise DamagedCheckpoint(
                f"checkpoint {path} lacks {', '.join(sorted(missing))}; a run cannot go on from it: remove it to begin "
                "again, or use another --run_dir"
            )
        saved = content["optimizer"]
        try:
            check_counts(content)
            check_optimizer(saved, self.optimizer, content["step"])
            schedule = check_schedule(content["schedule"], self.schedule, content)
            check_generator(content["rng"])
        except WrongPart as error:
            raise DamagedCheckpoint(
                f"checkpoint {path}: {error}; a run cannot go on from it: remove it to begin again, or use another "
                "--run_dir"
            ) from error
        load_tensors(self.learner, content["learner"], path)
        own = zip(self.optimizer.state_dict()["param_groups"], saved["param_groups"], strict=True)
        groups = [group | {"lr": other["lr"]} for group, other in own]  # all else is of the configuration
        self.optimizer.load_state_dict({"state": saved["state"], "param_groups": groups})
        moments = (value for each in self.optimizer.state.values() for value in each.items())
        require_finite(((f"optimizer {name}", value) for name, value in moments), path)
        self.schedule.load_state_dict(schedule)
        self.step, self.validated = content["step"], content["validated"]
        self.ranking, self.spent, self.saved = content["ranking"], content["spent"], (self.step, self.validated)
        torch.set_rng_state(content["rng"])

    def restore_first(self, paths: Sequence[Path]) -> dict[Path, str]:
        """Restores the first of `paths` that exists and fits; returns the refused ones before it, with reasons.

        Raises UserError if files exist but none fits.
        """
        refused: dict[Path, str] = {}
        for path in filter(Path.exists, paths):
            try:
                self.restore(path)
                return refused
            except UserError as error:
                refused[path] = str(error)
        if refused:
            fault = next(iter(refused.values()))
            raise DamagedCheckpoint(fault.replace(ANOTHER, "there is no other to go on from: choose another --run_dir"))
        return refused


def write_checkpoint(path: Path, content: dict, previous: Path | None = None) -> None:
    """Writes a checkpoint file atomically. Raises UserError if it cannot be written."""
    # One fixed name, unlike in atomic_write: a killed run leaves at most one large file, which the next write replaces.
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        with create(temporary) as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        if previous and path.exists():
            os.replace(path, previous)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        temporary.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UserError(
            f"cannot write checkpoint {path} ({reason}); free some space or choose another folder; "
            "the one before, if any, is kept"
        ) from error


def save_weights(path: Path, tensors: Mapping[str, Tensor], step: int) -> None:
    """Writes a checkpoint of weights alone, by their names in the learner: `backbone.…`, `head.…`, `rule.…`."""
    write_checkpoint(path, {"learner": dict(tensors), "step": step})


def load_checkpoint(path: Path) -> dict:
    """The content of a checkpoint file, on the CPU. Raises UserError if it is missing, damaged or contains code."""
    return parse_checkpoint(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """The bytes of a checkpoint file, read once: training may replace it at any time. Raises UserError."""
    refuse_tensorflow_checkpoint(path)
    if not path.is_file():
        raise UserError(f"checkpoint {path} does not exist; train first, or name another")
    return path.read_bytes()


def parse_checkpoint(data: bytes, path: Path) -> dict:
    """The content of the checkpoint file `path` with these bytes. Raises UserError as `load_checkpoint` does."""
    content = weights_content(data, path) if path.suffix == SUFFIX else load_archive(data, path)
    if not is_checkpoint(content):
        raise UserError(f"{path} is not a checkpoint of this package; {ANOTHER}")
    return content


def is_checkpoint(content: object) -> bool:
    """True for the content of a file that this package writes."""
    whole = isinstance(content, dict) and WEIGHTS <= content.keys() <= STATE
    return whole and is_count(content["step"]) and is_named_tensors(content["learner"])


def load_learner(learner: Learner, path: Path) -> LoadedWeights:
    """Loads a learner's tensors from a checkpoint, or its backbone alone if it takes nothing else.

    Raises UserError if they do not fit or are not finite.
    """
    if learner.backbone_alone:
        return load_backbone(learner, path)
    data = read_bytes(path)
    content = parse_checkpoint(data, path)
    load_tensors(learner, content["learner"], path)
    return LoadedWeights(content["step"], short_hash(data))


def load_backbone(learner: Learner, path: Path) -> LoadedWeights:
    """Loads only the backbone's tensors, as pretrained weights. Raises UserError as `load_learner` does."""
    data = read_bytes(path)
    return take_backbone(learner, parse_checkpoint(data, path), data, path)


def take_backbone(learner: Learner, content: dict, data: bytes, path: Path) -> LoadedWeights:
    """Loads the backbone's tensors from the content of a checkpoint, parsed from `data`. Raises UserError."""
    tensors = content["learner"].items()
    own = {name.removeprefix(BACKBONE): tensor for name, tensor in tensors if name.startswith(BACKBONE)}
    load_tensors(learner.backbone, own, path)
    return LoadedWeights(content["step"], short_hash(data))


def load_tensors(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Loads exactly these tensors. Raises UserError if names or shapes differ, or a value is not finite."""
    try:
        for name, own in module.state_dict().items():
            if name in tensors and tensors[name].is_floating_point() != own.is_floating_point():
                raise TypeError(f"{name} is of type {tensors[name].dtype}, not {own.dtype}")
        module.load_state_dict(tensors)
    except (RuntimeError, AttributeError, TypeError) as error:
        detail = str(error).splitlines()[-1].strip()
        raise UserError(
            f"checkpoint {path} is not of this configuration's {type(module).__name__}: {detail}"
        ) from error
    require_finite([*module.named_parameters(), *module.named_buffers()], path)


def require_finite(tensors: Iterable[tuple[str, Tensor]], path: Path) -> None:
    """Raises DamagedCheckpoint for the first of some named tensors of the file `path` that is not finite."""
    for name, tensor in tensors:
        finite = tensor.isfinite()
        if not finite.all():
            raise DamagedCheckpoint(
                f"checkpoint {path}: {name} has {int((~finite).sum())} of {tensor.numel()} values that are not finite: "
                "the training that wrote it diverged, or the file was changed; use an earlier checkpoint"
            )


def short_hash(data: bytes) -> str:
    """The first 16 hex digits of the SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()[:16]
