"""The preparation of picture files for the learner of an experiment: that of the images which its reader reads."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import gin

from alfa_md.data.images.reader import data_set_module
from alfa_md.data.images.transform import Transform
from alfa_md.data.picture_inputs import ImageInput, PictureInput, RecordInput
from alfa_md.data.tfrecord.installed_decoder import installed_decoder
from alfa_md.errors import UserError
from alfa_md.experiment.definition import Experiment
from alfa_md.metrics import ACCURACY


def picture_input(experiment: Experiment) -> PictureInput:
    """The preparation by what is bound for the experiment's reader: `decoder`, `image_size` or `transform`.

    A reader with neither, but with a parameter `transform`, prepares as its training source does by default. Raises
    UserError for a learner that predicts no class, and for a reader that reads no images.
    """
    if experiment.learner.objective.unit is not ACCURACY:
        unit = experiment.learner.objective.unit.name
        raise UserError(f"this run is judged by its {unit}: it predicts values, and predict needs one of classes")
    bound = bindings_of(experiment.reader)
    if "decoder" in bound:
        return RecordInput(bound["decoder"])
    if "image_size" in bound:
        return RecordInput(installed_decoder(image_size=bound["image_size"]))
    if "transform" in signature(experiment.reader).parameters:
        return ImageInput(chosen_transform(bound.get("transform"), experiment.train_sources[0]))
    name = getattr(experiment.reader, "__name__", type(experiment.reader).__name__)
    raise UserError(f"the reader {name} does not say how it prepares images; give it a parameter decoder or transform")


def bindings_of(reader: Callable) -> Mapping[str, Any]:
    """The values that are bound for a reader, by parameter; none for a function that gin does not know."""
    try:
        return gin.get_bindings(reader)
    except ValueError:
        return {}


def chosen_transform(bound: Transform | Mapping[str, Transform] | None, source: str) -> Transform:
    """The transform of a data set: the bound one, the bound one of its name, or its own."""
    chosen = bound.get(source) if isinstance(bound, Mapping) else bound
    return chosen or data_set_module(source).TRANSFORM
