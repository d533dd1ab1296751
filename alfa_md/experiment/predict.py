"""Predictions of pictures by the learner of an experiment."""

from pathlib import Path
from typing import NamedTuple

from alfa_md.data.labelled_pictures import LabelledPictures, labelled_pictures, unlabelled_pictures
from alfa_md.experiment.definition import Experiment
from alfa_md.experiment.picture_inputs import picture_input
from alfa_md.prediction.predictions import Predictions
from alfa_md.prediction.support_set import read_support
from alfa_md.system.device import device_of
from alfa_md.system.user_path import user_path


class PictureTask(NamedTuple):
    """Labelled pictures, and the pictures to predict: their folder, and their paths relative to it."""

    labelled: LabelledPictures
    folder: Path
    files: tuple[str, ...]


def find_pictures(support: str | Path, query: str | Path) -> PictureTask:
    """Lists the pictures of two places, as `OpenedRun.predict` takes them. Raises UserError if there are none."""
    return PictureTask(labelled_pictures(user_path(support)), *unlabelled_pictures(user_path(query)))


def predict_pictures(
    experiment: Experiment, task: PictureTask, calibrate: bool = False, skip_unreadable: bool = False
) -> Predictions:
    """The predictions after adapting to the labelled pictures of a task, on the device of the learner.

    The options are those of `OpenedRun.predict`. Raises UserError if a labelled picture cannot be read, or the learner
    does not fit to them.
    """
    read = picture_input(experiment)
    support = read_support(task.labelled, read, device_of(experiment.learner))
    return Predictions(experiment.learner, support, task.folder, task.files, read, calibrate, skip_unreadable)
