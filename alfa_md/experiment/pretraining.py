"""Initial weights of a backbone: random, from a finished run, or from a pretraining that is run first."""

from collections.abc import Callable, Sequence
from pathlib import Path

from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import load_backbone
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.experiment.tensorflow_checkpoint import refuse_tensorflow_checkpoint
from alfa_md.learners.base import Learner
from alfa_md.system.user_path import user_path

SCRATCH = "no: from scratch"
Pretrain = Callable[[Sequence[str], RunDirectory], None]  # (gin files, run directory)
Pretrained = str | Sequence[str] | None  # see Experiment


def resolve_checkpoint(pretrained: Pretrained, run: RunDirectory, pretrain: Pretrain) -> Path | None:
    """The checkpoint file for a value of Experiment.pretrained, None for random initial weights.

    A pretraining from gin files is run, resumed or reused in RUN_DIR/pretrain; its best checkpoint is used. Raises
    UserError if the file does not exist.
    """
    if pretrained is None:
        return None
    names = [pretrained] if isinstance(pretrained, str) else list(pretrained)
    if names and all(name.endswith(".gin") for name in names):
        folder = pretraining_folder(run)
        pretrain(names, folder)
        return folder.best
    path = user_path(names[0]) if len(names) == 1 else None
    if path:
        refuse_tensorflow_checkpoint(path)
    if path is None or not path.exists():
        raise UserError(
            f"Experiment.pretrained = {pretrained!r} is no run directory, checkpoint file or gin file; "
            "PRETRAINED = None trains from scratch"
        )
    return RunDirectory(path).checkpoint("best") if path.is_dir() else path


def pretraining_folder(run: RunDirectory) -> RunDirectory:
    """The run directory of the pretraining that a run begins with."""
    return RunDirectory(run.path / "pretrain")


def load_pretrained(learner: Learner, file: Path | None) -> str:
    """Loads only the backbone's tensors from `file`, if given; returns a stamp of the initial weights."""
    if file is None:
        return SCRATCH
    loaded = load_backbone(learner, file)
    return f"{file.resolve()}, update {loaded.updates}, hash {loaded.hash}"
