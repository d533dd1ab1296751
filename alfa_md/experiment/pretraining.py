"""Initial weights of a backbone: random, from elsewhere, of a finished run, or of a pretraining that is run first."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from torch import nn

from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import is_checkpoint, read_bytes, require_finite, short_hash, take_backbone
from alfa_md.experiment.exported_weights import weights_content
from alfa_md.experiment.foreign_weights import (
    ForeignWeights,
    find_tensors,
    is_model_folder,
    plain_content,
    read_foreign,
)
from alfa_md.experiment.key_report import KeyReport, compare, unwrapped
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.experiment.safetensors_file import SUFFIX
from alfa_md.experiment.tensorflow_checkpoint import refuse_tensorflow_checkpoint
from alfa_md.learners.base import Learner
from alfa_md.system.hub_files import hub_folder, is_on_hub
from alfa_md.system.user_path import user_path

SCRATCH = "no: from scratch"
Pretrain = Callable[[Sequence[str], RunDirectory], None]  # (gin files, run directory)
Pretrained = str | Sequence[str] | Mapping | None  # see Experiment


class Start(NamedTuple):
    """A stamp of the initial weights, and for those of another library a report about their names."""

    stamp: str
    report: KeyReport | None = None


def resolve_checkpoint(pretrained: Pretrained, run: RunDirectory, pretrain: Pretrain) -> Path | None:
    """The file or the folder of weights for a value of Experiment.pretrained, None for random initial weights.

    A pretraining from gin files is run, resumed or reused in RUN_DIR/pretrain; its best checkpoint is used. Raises
    UserError if the file does not exist.
    """
    if pretrained is None or (isinstance(pretrained, Mapping) and "model_type" in pretrained):
        return None
    if isinstance(pretrained, str) and is_on_hub(pretrained):
        return hub_folder(pretrained)
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
    return RunDirectory(path).checkpoint("best") if path.is_dir() and not is_model_folder(path) else path


def pretraining_folder(run: RunDirectory) -> RunDirectory:
    """The run directory of the pretraining that a run begins with."""
    return RunDirectory(run.path / "pretrain")


def load_pretrained(learner: Learner, path: Path | None, least_share: float) -> Start:
    """Loads the backbone's tensors from `path`, if given: a checkpoint of a run, whole, or weights of another library.

    Raises UserError if the latter give less than `least_share` of the backbone's values, and as the readers do.
    """
    if path is None:
        return Start(SCRATCH)
    if path.is_dir():
        return load_foreign(learner.backbone, read_foreign(path), path, least_share)
    data = read_bytes(path)
    content = weights_content(data, path) if path.suffix == SUFFIX else plain_content(data, path)
    if is_checkpoint(content):
        loaded = take_backbone(learner, content, data, path)
        return Start(f"{path.resolve()}, update {loaded.updates}, hash {loaded.hash}")
    weights = ForeignWeights(find_tensors(content, path), short_hash(data))
    return load_foreign(learner.backbone, weights, path, least_share)


def load_foreign(backbone: nn.Module, weights: ForeignWeights, path: Path, least_share: float) -> Start:
    """Loads what fits of weights of another library. Raises UserError as `load_pretrained` does."""
    own, given = backbone.state_dict(), unwrapped(weights.tensors)
    report = compare(own, given)
    if report.share < 1 and hasattr(backbone, "own_names"):
        report = max(report, compare(own, backbone.own_names(given)), key=lambda each: each.share)
    if report.share < least_share:
        raise UserError(
            f"{path} does not fit the backbone: {'; '.join(line.strip() for line in report.lines())}; name weights of "
            f"this architecture, or bind Experiment.pretrained_share, now {least_share}, to less"
        )
    require_finite(report.taken.items(), path)
    backbone.load_state_dict(report.taken, strict=False)
    return Start(f"{path.resolve()}, {report.percent} of the values, hash {weights.hash}", report)
