"""Conversion of checkpoints between Meta-Dataset's TensorFlow program and this package.

Run by `python -m alfa_md.convert checkpoint`. Converts the backbone, a classifier if there is one, and the number of
updates. The optimiser's state and parts without a counterpart, such as a learned update rule, are left out and counted.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from alfa_md.data.tfrecord.variables import checkpoint_files, read_variables, write_variables
from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import BACKBONE, load_checkpoint, save_weights
from alfa_md.experiment.tensorflow_checkpoint import find_tensorflow_checkpoint
from alfa_md.interop.official_names import NETWORKS, Network, TensorPair
from alfa_md.system.user_path import user_path

STEP = "global_step"  # TensorFlow's name for the number of updates
SCOPES = tuple(f"{network.scope}/" for network in NETWORKS)
BOOKKEEPING = ("adam", "weight_copy", "num_left_in_epoch")  # parts of the names of variables that are not weights
SCALE = "classifier.scale"  # of a weight-normalised classifier, which has no official counterpart
KNOWN = ", ".join(network.scope for network in NETWORKS)


def convert_checkpoint(source: str, target: str) -> str:
    """Converts the checkpoint `source` to the other program's format in `target`; returns a summary line.

    `source` is a checkpoint file of ours or a TensorFlow checkpoint, named without `.index`; its network is identified
    by the names of the tensors. Raises UserError if `source` is missing, damaged, incomplete or of another network, or
    if `target` exists or cannot be written.
    """
    file, new = user_path(source), user_path(target)
    if new.exists() or checkpoint_files(new):
        raise UserError(f"{new} exists already and is not written over; choose another --to")
    if Path(f"{file}.index").is_file() and not file.exists():
        return import_official(file, new)
    if whole := find_tensorflow_checkpoint(file):
        what = (
            "holds TensorFlow checkpoints; name one" if file.is_dir() else "is part of a TensorFlow checkpoint; name it"
        )
        raise UserError(f"{file} {what}: --from={whole}")
    if not file.is_file():
        raise UserError(f"{file}: no such checkpoint; --from takes a file of ours, or a TensorFlow one without .index")
    return export_official(file, new)


def import_official(prefix: Path, target: Path) -> str:
    """Converts the TensorFlow checkpoint `prefix` to a weights file of ours; returns a summary line."""
    variables = read_variables(prefix)
    network = identify_network(prefix, set(filter(is_weight, variables)), "official")
    pairs = [*network.backbone, *(pair for pair in network.classifiers if pair.official in variables)]
    tensors = {pair.ours: to_ours(prefix, pair, variables[pair.official]) for pair in pairs}
    step = variables.get(STEP, np.array(0))
    if step.ndim or step.dtype.kind != "i":
        raise UserError(f"{prefix}: {STEP} is {describe_tensor(step)}, not one integer; use another checkpoint")
    save_weights(target, tensors, int(step))
    return conversion_summary(target, network, pairs, len(variables.keys() - {STEP}))


def is_weight(name: str) -> bool:
    """True if an official variable is a weight of a known network, not optimiser state."""
    return name.startswith(SCOPES) and not any(word in name.lower() for word in BOOKKEEPING)


def export_official(file: Path, target: Path) -> str:
    """Converts a checkpoint file of ours to the TensorFlow checkpoint `target`; returns a summary line."""
    content = load_checkpoint(file)
    tensors, step = content["learner"], content["step"]
    if not isinstance(tensors, Mapping) or not isinstance(step, int):
        raise UserError(f"{file} is not a checkpoint of this package; use another checkpoint")
    network = identify_network(file, {name for name in tensors if str(name).startswith(BACKBONE)}, "ours")
    plain = {name for name in tensors if SCALE not in tensors or not name.startswith("classifier.")}
    pairs = [*network.backbone, *(pair for pair in network.classifiers if pair.ours in plain)]
    variables = {pair.official: to_official(file, pair, tensors[pair.ours]) for pair in pairs}
    write_variables(target, {**variables, STEP: np.array(step, np.int64)})
    return conversion_summary(target, network, pairs, len(tensors))


def identify_network(source: Path, names: set[str], side: str) -> Network:
    """The network whose backbone has exactly these names on the side "ours" or "official". Raises UserError if none."""
    for network in NETWORKS:
        own = {getattr(pair, side) for pair in network.backbone}
        if own.isdisjoint(names):
            continue
        if foreign := sorted(names - own):
            raise UserError(f"{source}: {foreign[0]} is not of the official {network.scope}; can be converted: {KNOWN}")
        if missing := sorted(own - names):
            raise UserError(f"{source}: {missing[0]} of the {network.scope} is missing; use a complete checkpoint")
        return network
    raise UserError(f"{source}: holds no network that can be converted; known are the official {KNOWN}")


def to_ours(source: Path, pair: TensorPair, variable: np.ndarray) -> Tensor:
    """The official variable of a pair in our layout. Raises UserError if it does not match the pair."""
    with suppress(ValueError):  # another rank
        array = pair.layout.to_ours(variable)
        if matches_pair(pair, array):
            return torch.from_numpy(array.copy())
    raise mismatch_error(source, pair.official, variable, pair)


def to_official(source: Path, pair: TensorPair, tensor: Tensor) -> np.ndarray:
    """Our tensor of a pair in the official layout. Raises UserError if it does not match the pair."""
    if isinstance(tensor, Tensor) and matches_pair(pair, tensor):
        return pair.layout.to_official(tensor.detach().numpy())
    raise mismatch_error(source, pair.ours, tensor, pair)


def matches_pair(pair: TensorPair, value: np.ndarray | Tensor) -> bool:
    """True if a value in our layout is float32 and has the pair's shape."""
    sizes = tuple(value.shape)
    same = len(sizes) == len(pair.shape) and all(a in (b, None) for a, b in zip(pair.shape, sizes, strict=True))
    return same and str(value.dtype).removeprefix("torch.") == "float32"


def mismatch_error(source: Path, name: str, value: np.ndarray | Tensor, pair: TensorPair) -> UserError:
    """The error for a tensor that does not match its pair."""
    shape, actual = ", ".join("any" if size is None else str(size) for size in pair.shape), describe_tensor(value)
    return UserError(
        f"{source}: {name} is {actual}, where the official network has float32 [{shape}] (in our layout); "
        "convert a checkpoint of exactly that network"
    )


def describe_tensor(value: object) -> str:
    """The type and shape of an array or a tensor, for error messages."""
    if not isinstance(value, np.ndarray | Tensor):
        return type(value).__name__
    return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"


def conversion_summary(target: Path, network: Network, pairs: Sequence[TensorPair], available: int) -> str:
    classifier = [pair.official for pair in pairs[len(network.backbone) :]]
    what = " + ".join([f"{network.scope} ({len(network.backbone)} tensors)", *classifier])
    return f"{target}: {what}; left out, having no counterpart: {available - len(pairs)}"
