"""Opening of weights without a run: the experiment of gin files, with a checkpoint or a pretrained backbone."""

from collections.abc import Sequence

from alfa_md.errors import UserError
from alfa_md.experiment import config, definition
from alfa_md.experiment.checkpoint import load_learner
from alfa_md.experiment.definition import Experiment
from alfa_md.experiment.pretraining import load_pretrained, resolve_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.system.user_path import user_path


def open_weights(
    gin_config: Sequence[str], gin_bindings: Sequence[str] = (), checkpoint: str | None = None
) -> Experiment:
    """The experiment of gin files and bindings, its learner with the weights of `checkpoint`, else with PRETRAINED.

    Raises UserError if there are neither, or they are of another learner.
    """
    config.parse(gin_config, gin_bindings)
    experiment = definition.build_experiment(0)
    if checkpoint:
        load_learner(experiment.learner, user_path(checkpoint))
    else:
        file = resolve_checkpoint(experiment.pretrained, RunDirectory("."), refuse_pretraining)
        if file is None:
            raise UserError(f"{gin_config[-1]} has random weights; give --checkpoint=FILE or PRETRAINED = 'FILE'")
        load_pretrained(experiment.learner, file, experiment.pretrained_share)
    experiment.learner.eval()
    return experiment


def refuse_pretraining(names: Sequence[str], folder: RunDirectory) -> None:
    """Raises UserError: the pretraining that gin files name is the work of `alfa_md.train`."""
    raise UserError(f"PRETRAINED = {', '.join(names)} is to be trained; train it, and bind PRETRAINED to its run")
