"""What a training run needs to go on, in one file: written whole or not at all, read without running code."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from alfa_md.errors import UserError
from alfa_md.learners.base import Learner

CONTENT = {"learner", "optimizer", "schedule", "step", "best", "spent", "rng"}


@dataclass
class TrainState:
    """Learner, optimiser, schedule, number of updates done, and the best validation so far."""

    learner: Learner
    optimizer: Optimizer
    schedule: LRScheduler
    step: int = 0
    best: float = -1.0  # mean validation accuracy of the best checkpoint
    spent: dict[str, float] = field(default_factory=dict)  # seconds and cpu_seconds of the run so far

    def save(self, path: Path) -> None:
        """Writes the state to `path`, replacing an earlier one only when complete."""
        content = {
            "learner": self.learner.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": self.step,
            "best": self.best,
            "spent": self.spent,
            "rng": torch.get_rng_state(),
        }
        temporary = path.with_name(f".{path.name}.tmp")
        with open(temporary, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)

    def restore(self, path: Path) -> None:
        """Takes over everything that `save` wrote. Raises UserError where the file does not fit or is damaged."""
        content = load_learner(self.learner, path)
        self.optimizer.load_state_dict(content["optimizer"])
        self.schedule.load_state_dict(content["schedule"])
        self.step, self.best, self.spent = content["step"], content["best"], content["spent"]
        torch.set_rng_state(content["rng"])


def load(path: Path) -> dict:
    """The content of a checkpoint file. Raises UserError where it is missing, damaged or holds code."""
    if not path.is_file():
        raise UserError(f"checkpoint {path} does not exist; train first, or name another with --checkpoint")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes torch raise nearly anything
        raise UserError(f"checkpoint {path} cannot be read ({type(error).__name__}); use another checkpoint") from error
    if not isinstance(content, dict) or content.keys() != CONTENT:
        raise UserError(f"{path} is not a checkpoint of this package; use another checkpoint")
    return content


def load_learner(learner: Learner, path: Path) -> dict:
    """Loads the learner's tensors from a checkpoint; returns its whole content. Raises UserError where they differ."""
    content = load(path)
    try:
        learner.load_state_dict(content["learner"])
    except RuntimeError as error:
        detail = str(error).splitlines()[-1].strip()
        raise UserError(f"checkpoint {path} is not of this configuration's learner: {detail}") from error
    return content


def file_hash(path: Path) -> str:
    """The first 16 hex digits of a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
