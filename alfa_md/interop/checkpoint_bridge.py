"""Checkpoints of Meta-Dataset's own TensorFlow program to ours and back: `python -m alfa_md.convert checkpoint`.

What moves is the backbone, a classifier where the file holds one, and the number of updates. The optimiser's state and
what only one of the two programs has (a learned update rule, say) stay behind; the line returned says how much.
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
from alfa_md.interop.official_names import NETWORKS, Network, Pair

STEP = "global_step"  # TensorFlow's name for the number of updates
SCOPES = tuple(f"{network.scope}/" for network in NETWORKS)
BOOKKEEPING = ("adam", "weight_copy", "num_left_in_epoch")  # in the names of variables that are no weights
SCALE = "classifier.scale"  # only a weight-normalised classifier has one, and that has other variables there
KNOWN = ", ".join(network.scope for network in NETWORKS)


def convert_checkpoint(source: str, target: str) -> str:
    """Write the checkpoint `source` to `target` in the form of the other program; returns what was written.

    `source` is either a checkpoint file of ours, or a TensorFlow checkpoint, named without `.index`. Which network it
    holds is seen from its names. Raises UserError where `source` is missing, damaged or incomplete or holds another
    network, and where `target` exists or cannot be written.
    """
    here, there = Path(source).expanduser(), Path(target).expanduser()
    if there.exists() or checkpoint_files(there):
        raise UserError(f"{there} exists already and is not written over; choose another --to")
    if Path(f"{here}.index").is_file() and not here.exists():
        return import_official(here, there)
    if here.suffix == ".index" or here.suffix.startswith(".data-"):
        raise UserError(f"{here} is part of a TensorFlow checkpoint; name the whole: --from={here.with_suffix('')}")
    if not here.is_file():
        raise UserError(f"{here}: no such checkpoint; --from takes a file of ours, or a TensorFlow one without .index")
    return export_official(here, there)


def import_official(prefix: Path, target: Path) -> str:
    """TensorFlow's checkpoint `prefix` as a weights file of ours."""
    variables = read_variables(prefix)
    network = recognised(prefix, set(filter(is_weight, variables)), "official")
    pairs = [*network.backbone, *(pair for pair in network.classifiers if pair.official in variables)]
    tensors = {pair.ours: to_ours(prefix, pair, variables[pair.official]) for pair in pairs}
    step = variables.get(STEP, np.array(0))
    if step.ndim or step.dtype.kind != "i":
        raise UserError(f"{prefix}: {STEP} is {kind(step)}, not one integer; use another checkpoint")
    save_weights(target, tensors, int(step))
    return report(target, network, pairs, len(variables.keys() - {STEP}))


def is_weight(name: str) -> bool:
    """Whether an official variable is of a backbone, and not what an optimiser keeps for one."""
    return name.startswith(SCOPES) and not any(word in name.lower() for word in BOOKKEEPING)


def export_official(file: Path, target: Path) -> str:
    """A checkpoint file of ours as TensorFlow's checkpoint `target`."""
    content = load_checkpoint(file)
    tensors, step = content["learner"], content["step"]
    if not isinstance(tensors, Mapping) or not isinstance(step, int):
        raise UserError(f"{file} is not a checkpoint of this package; use another checkpoint")
    network = recognised(file, {name for name in tensors if str(name).startswith(BACKBONE)}, "ours")
    plain = {name for name in tensors if SCALE not in tensors or not name.startswith("classifier.")}
    pairs = [*network.backbone, *(pair for pair in network.classifiers if pair.ours in plain)]
    variables = {pair.official: to_official(file, pair, tensors[pair.ours]) for pair in pairs}
    write_variables(target, {**variables, STEP: np.array(step, np.int64)})
    return report(target, network, pairs, len(tensors))


def recognised(source: Path, names: set[str], side: str) -> Network:
    """The network whose backbone is `names` on that side of its pairs, exactly. Raises UserError where none is."""
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


def to_ours(source: Path, pair: Pair, variable: np.ndarray) -> Tensor:
    with suppress(ValueError):  # another rank
        array = pair.layout.to_ours(variable)
        if fits(pair, array):
            return torch.from_numpy(array.copy())
    raise misfit(source, pair.official, variable, pair)


def to_official(source: Path, pair: Pair, tensor: Tensor) -> np.ndarray:
    if isinstance(tensor, Tensor) and fits(pair, tensor):
        return pair.layout.to_official(tensor.detach().numpy())
    raise misfit(source, pair.ours, tensor, pair)


def fits(pair: Pair, value: np.ndarray | Tensor) -> bool:
    """Whether a value in our layout has the pair's shape, in float32."""
    sizes = tuple(value.shape)
    same = len(sizes) == len(pair.shape) and all(a in (b, None) for a, b in zip(pair.shape, sizes, strict=True))
    return same and str(value.dtype).removeprefix("torch.") == "float32"


def misfit(source: Path, name: str, value: np.ndarray | Tensor, pair: Pair) -> UserError:
    wanted = ", ".join("any" if size is None else str(size) for size in pair.shape)
    return UserError(
        f"{source}: {name} is {kind(value)}, where the official network has float32 [{wanted}] (in our layout); "
        "convert a checkpoint of exactly that network"
    )


def kind(value: object) -> str:
    """Type and shape of an array or a tensor, in words."""
    if not isinstance(value, np.ndarray | Tensor):
        return type(value).__name__
    return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"


def report(target: Path, network: Network, pairs: Sequence[Pair], available: int) -> str:
    classifier = [pair.official for pair in pairs[len(network.backbone) :]]
    what = " + ".join([f"{network.scope} ({len(network.backbone)} tensors)", *classifier])
    return f"{target}: {what}; left out, having no counterpart: {available - len(pairs)}"
