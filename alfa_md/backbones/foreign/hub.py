"""Backbones of the library transformers, by the configuration of a model; its weights come by PRETRAINED.

No code of a model's folder is run: of its configuration, the architectures of the library alone are built.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gin
import torch
from torch import Tensor, nn

from alfa_md.backbones.foreign.adapter import IMAGENET_DEVIATION, IMAGENET_MEAN, Deviation, ForeignBackbone, Mean
from alfa_md.backbones.foreign.features import automatic
from alfa_md.errors import UserError
from alfa_md.system.extras import require_transformers
from alfa_md.system.hub_files import CONFIG, PREPROCESSOR, hub_folder
from alfa_md.system.library_faults import refused
from alfa_md.system.text_files import read_json
from alfa_md.values import Pixels

PIXELS = ("image_mean", "image_std")  # of preprocessor_config.json
LABELS = ("id2label", "label2id", "architectures", "transformers_version")
REMEDY = "use the file as its publisher wrote it"
# What a configuration may say about code and kernels to fetch, or arithmetic other than float32; it is not heard.
UNHEARD = ("auto_map", "quantization", "attn_implementation", "experts_implementation", "dtype", "torch_dtype")


@gin.configurable
def hub_backbone(
    model: str | Mapping = gin.REQUIRED,
    image_size: Pixels | None = None,
    mean: Mean | None = None,
    deviation: Deviation | None = None,
    features: Callable[[Any], Tensor] = automatic,
) -> "TransformersBackbone":
    """The architecture of a model of transformers, with random weights until PRETRAINED loads the model's.

    Args:
      model: the folder that `save_pretrained` wrote, `hf:OWNER/NAME`, or the configuration itself, a dictionary such
        as {'model_type': 'dinov2', 'hidden_size': 384}; a run stores the latter in place of the others.
      image_size: S that the network takes; None for that of the configuration.
      mean, deviation: None for those of the folder's preprocessor_config.json, or else of ImageNet.
      features: what the network returns -> features [N, D].

    Raises UserError if the library is missing, does not know the model, or the model does not take such images.
    """
    content = model if isinstance(model, Mapping) else model_configuration(model)
    owner = "hub_backbone.model" if isinstance(model, Mapping) else model
    network = build_network(content, owner)
    size = image_size or getattr(network.config, "image_size", None)
    if type(size) is not int:
        raise UserError(f"{owner} does not say what images the model takes; bind hub_backbone.image_size")
    mean = mean or _three(content, "image_mean", owner) or IMAGENET_MEAN
    deviation = deviation or _three(content, "image_std", owner) or IMAGENET_DEVIATION
    return TransformersBackbone(network, size, mean, deviation, features)


def model_configuration(model: str) -> dict:
    """The configuration of a model by its folder or `hf:OWNER/NAME`, with the mean and deviation of its preprocessing.

    Names of classes are left out. Raises UserError if a file is missing or is no JSON object.
    """
    folder, content = hub_folder(model), {}
    for file in filter(Path.is_file, (folder / PREPROCESSOR, folder / CONFIG)):
        found = read_json(file, REMEDY)
        if not isinstance(found, dict):
            raise UserError(f"{file}: must be an object; {REMEDY}")
        content |= found if file.name == CONFIG else {key: found[key] for key in PIXELS if key in found}
    return {key: value for key, value in _heard(content).items() if key not in LABELS}


class TransformersBackbone(ForeignBackbone):
    """A ForeignBackbone on a model of transformers."""

    def own_names(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The library itself places its tensors: names have changed between its versions, and some were split.

        Those without a place, or of another shape, keep their names. Raises UserError if the library fails on them.
        """
        options = {"output_loading_info": True, "ignore_mismatched_sizes": True, "dtype": torch.float32}
        kind, given = type(self.network), {"config": self.network.config, "state_dict": dict(tensors)}
        problem = f"transformers cannot place these weights in {kind.__name__}"
        with refused(problem, "name others"), quiet(), torch.random.fork_rng(devices=[]):
            filled, info = kind.from_pretrained(None, **given, **options)
        shapes = {name: in_file for name, in_file, _ in info["mismatched_keys"]}
        left = shapes.keys() | info["missing_keys"]
        placed = {name: tensor for name, tensor in filled.state_dict().items() if name not in left}
        strange = {name: tensors[name] for name in info["unexpected_keys"] if name in tensors}
        return placed | strange | {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def build_network(content: object, owner: str) -> nn.Module:
    """The base model of a configuration, on PyTorch's own operations, in float32. Raises UserError naming `owner`."""
    library = require_transformers()
    if not isinstance(content, Mapping) or not isinstance(content.get("model_type"), str):
        raise UserError(f"{owner}: is not the configuration of a model; it must have a model_type such as 'dinov2'")
    heard = {key: value for key, value in _heard(content).items() if key not in PIXELS}
    with refused(f"{owner}: transformers cannot make this model", "use another"), quiet():
        config = library.CONFIG_MAPPING[content["model_type"]].from_dict(heard)
        network = library.MODEL_MAPPING[type(config)]._from_config(config, dtype=torch.float32)
    if hasattr(getattr(network, "pooler", None), "dense"):
        network.pooler = None  # dense and tanh, trained with a classifier if at all; the class token is used
    return network


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, transformers prints neither progress nor advice."""
    logging = require_transformers().utils.logging
    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def _heard(content: Mapping) -> dict:
    """A configuration and those inside it, without what is not heard."""
    return {
        key: _heard(value) if isinstance(value, Mapping) else value
        for key, value in content.items()
        if isinstance(key, str) and not key.lstrip("_").startswith(UNHEARD)
    }


def _three(content: Mapping, key: str, owner: str) -> tuple | None:
    """Three numbers of a configuration, those of `image_std` positive. Raises UserError for anything else."""
    values = content.get(key)
    if values is None:
        return None
    numbers = isinstance(values, list | tuple) and len(values) == 3 and all(type(v) in (int, float) for v in values)
    if not numbers or (key == "image_std" and not min(values) > 0):
        raise UserError(f"{owner}: {key} = {values!r} must be three numbers, those of image_std positive; {REMEDY}")
    return tuple(values)
