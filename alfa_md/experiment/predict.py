"""Predictions of pictures by the learner of an experiment."""

from pathlib import Path

import torch

from alfa_md.data.labelled_pictures import labelled_pictures, unlabelled_pictures
from alfa_md.experiment.definition import Experiment
from alfa_md.experiment.picture_inputs import picture_input
from alfa_md.prediction.predictions import Predictions
from alfa_md.prediction.support_set import read_support
from alfa_md.system.user_path import user_path


def predict_pictures(
    experiment: Experiment,
    support: str | Path,
    query: str | Path,
    calibrate: bool = False,
    skip_unreadable: bool = False,
) -> Predictions:
    """The predictions of the pictures `query` after adapting to `support`, on the device of the learner.

    The arguments are those of `OpenedRun.predict`. Raises UserError if pictures are missing, a labelled one cannot be
    read, or the learner does not fit to them.
    """
    read = picture_input(experiment)
    labelled = labelled_pictures(user_path(support))
    folder, files = unlabelled_pictures(user_path(query))
    device = next((parameter.device for parameter in experiment.learner.parameters()), torch.device("cpu"))
    return Predictions(
        experiment.learner, read_support(labelled, read, device), folder, files, read, calibrate, skip_unreadable
    )
