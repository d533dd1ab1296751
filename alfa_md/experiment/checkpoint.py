"""Checkpoints of training runs: atomic writes, verified checksums, and loading without executing pickled code.

A file is what `torch.save` writes: a zip archive with a checksum for every tensor, and all checksums are verified
before the content is used.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from alfa_md.errors import UserError
from alfa_md.experiment.ranking import Ranking
from alfa_md.experiment.tensorflow_checkpoint import refuse_tensorflow_checkpoint
from alfa_md.learners.base import Learner

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


class DamagedCheckpoint(UserError):
    """A checkpoint file that cannot be read."""


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
        if content.keys() != STATE:
            raise UserError(
                f"checkpoint {path} lacks {', '.join(sorted(STATE - content.keys()))}: a run cannot go on from it; "
                "use another --run_dir"
            )
        load_tensors(self.learner, content["learner"], path)
        try:
            self.optimizer.load_state_dict(content["optimizer"])
        except ValueError as error:
            raise UserError(
                f"checkpoint {path} was trained with other tensors frozen; use another --run_dir"
            ) from error
        self.schedule.load_state_dict(content["schedule"])
        self.step, self.validated = content["step"], content["validated"]
        self.ranking, self.spent, self.saved = content["ranking"], content["spent"], (self.step, self.validated)
        torch.set_rng_state(content["rng"])

    def restore_first(self, paths: Sequence[Path]) -> dict[Path, str]:
        """Restores the first of `paths` that exists and is intact; returns the damaged ones before it, with reasons.

        Raises UserError if files exist but none is intact, or if the file is of another configuration.
        """
        damaged: dict[Path, str] = {}
        for path in filter(Path.exists, paths):
            try:
                self.restore(path)
                return damaged
            except DamagedCheckpoint as error:
                damaged[path] = str(error)
        if damaged:
            raise DamagedCheckpoint(next(iter(damaged.values())))
        return damaged


def write_checkpoint(path: Path, content: dict, previous: Path | None = None) -> None:
    """Writes a checkpoint file atomically. Raises UserError if it cannot be written."""
    # One fixed name, unlike in atomic_write: a killed run leaves at most one large file, which the next write replaces.
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with open(temporary, "wb") as file:
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
    refuse_tensorflow_checkpoint(path)
    if not path.is_file():
        raise UserError(f"checkpoint {path} does not exist; train first, or name another")
    with damaged_if_unreadable(path):
        with ZipFile(path) as archive:
            refuse_inflated(archive, path, path.stat().st_size)
            damaged = archive.testzip()
        if damaged is None:
            content = torch.load(path, map_location="cpu", weights_only=True)
            refuse_expanded(content, path, path.stat().st_size)
    if damaged is not None:
        raise DamagedCheckpoint(f"checkpoint {path} is damaged: the checksum of {damaged} does not hold")
    if not isinstance(content, dict) or not WEIGHTS <= content.keys() <= STATE:
        raise UserError(f"{path} is not a checkpoint of this package; use another checkpoint")
    return content


def refuse_inflated(archive: ZipFile, path: Path, size: int) -> None:
    """Raises DamagedCheckpoint, before anything is unpacked, for parts that need more memory than the file has bytes.

    torch.save compresses nothing, so that the parts of a checkpoint lie one after another in the file as they are.
    """
    parts = archive.infolist()
    if any(part.compress_type != ZIP_STORED for part in parts) or sum(part.file_size for part in parts) > size:
        raise DamagedCheckpoint(
            f"checkpoint {path} is compressed, or claims more than its {size} bytes, which torch.save never does; "
            "use another checkpoint"
        )


def refuse_expanded(content: object, path: Path, size: int) -> None:
    """Raises DamagedCheckpoint for a tensor of more bytes than the file: one that repeats few values by its strides."""
    if isinstance(content, Tensor):
        if content.nbytes > size:
            raise DamagedCheckpoint(
                f"checkpoint {path} claims a tensor of {list(content.shape)}, {content.nbytes} bytes, and has {size} "
                "bytes; use another checkpoint"
            )
    elif isinstance(content, Mapping | list | tuple):
        for value in content.values() if isinstance(content, Mapping) else content:
            refuse_expanded(value, path, size)


@contextmanager
def damaged_if_unreadable(path: Path):
    """Raises DamagedCheckpoint for any error of the block."""
    try:
        yield
    except DamagedCheckpoint:
        raise
    except Exception as error:  # a damaged file makes zipfile and torch raise nearly anything
        raise DamagedCheckpoint(
            f"checkpoint {path} cannot be read ({type(error).__name__}); use another checkpoint"
        ) from error


def load_learner(learner: Learner, path: Path) -> dict:
    """Loads a learner's tensors from a checkpoint; returns its content. Raises UserError if they do not fit."""
    content = load_checkpoint(path)
    load_tensors(learner, content["learner"], path)
    return content


def load_backbone(learner: Learner, path: Path) -> dict:
    """Loads only the backbone's tensors, as pretrained weights; returns the file's content."""
    content = load_checkpoint(path)
    tensors = content["learner"]
    if not isinstance(tensors, dict):
        raise UserError(f"{path} is not a checkpoint of this package; use another checkpoint")
    own = {str(name).removeprefix(BACKBONE): t for name, t in tensors.items() if str(name).startswith(BACKBONE)}
    load_tensors(learner.backbone, own, path)
    return content


def load_tensors(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Loads exactly these tensors into a module. Raises UserError if names or shapes differ."""
    try:
        module.load_state_dict(tensors)
    except (RuntimeError, AttributeError, TypeError) as error:
        detail = str(error).splitlines()[-1].strip()
        raise UserError(
            f"checkpoint {path} is not of this configuration's {type(module).__name__}: {detail}"
        ) from error


def file_hash(path: Path) -> str:
    """The first 16 hex digits of a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
