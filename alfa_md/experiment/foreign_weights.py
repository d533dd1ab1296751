"""Weights files of other libraries: safetensors, files of torch.save, and folders of transformers.

Of torch.save, tensors and plain values are read; a file that would run code is refused.
"""

import hashlib
import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import NamedTuple
from zipfile import is_zipfile

import torch
from torch import Tensor

from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint_parts import is_named_tensors
from alfa_md.experiment.safetensors_file import SUFFIX, parse_safetensors
from alfa_md.experiment.torch_archive import DamagedCheckpoint, damaged_if_unreadable, load_archive, refuse_expanded
from alfa_md.system.hub_files import CONFIG, INDEX, WEIGHTS
from alfa_md.system.text_files import read_json

NESTED = ("state_dict", "model_state_dict", "model", "teacher", "student")  # keys under which training programs save
PICKLED = "pytorch_model.bin"  # of older folders


class ForeignWeights(NamedTuple):
    """Tensors by the names of the file, and the first 16 hex digits of the SHA-256 of the files read."""

    tensors: Mapping[str, Tensor]
    hash: str


def is_model_folder(path: Path) -> bool:
    """True for a folder that transformers wrote."""
    return (path / CONFIG).is_file() and not (path / "config.gin").exists()


def weights_files(path: Path) -> list[Path]:
    """The files of weights that `path` names: itself, or those in the folder of a model. Raises UserError."""
    if not path.is_dir():
        return [path]
    if (path / INDEX).is_file():
        content = read_json(path / INDEX)
        places = content.get("weight_map") if isinstance(content, Mapping) else None
        names = list(dict.fromkeys(places.values())) if isinstance(places, Mapping) else [None]
        if not names or not all(isinstance(name, str) and name == Path(name).name for name in names):
            raise UserError(f"{path / INDEX}: has no weight_map of files in its folder; write the model again")
        return [path / name for name in sorted(names)]
    for name in (WEIGHTS, PICKLED):
        if (path / name).is_file():
            return [path / name]
    raise UserError(f"{path}: holds no {WEIGHTS}; write the model again with save_pretrained")


def hash_of(path: Path) -> str:
    """The hash of the weights that `path` names. Raises OSError or UserError if a file is missing."""
    digest = hashlib.sha256()
    for file in weights_files(path):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def read_foreign(path: Path) -> ForeignWeights:
    """The tensors of a file or a folder. Raises UserError if one is missing, damaged, or holds code or no tensors."""
    digest, tensors = hashlib.sha256(), {}
    for file in weights_files(path):
        if not file.is_file():
            raise UserError(f"{file}: does not exist; fetch the whole model again")
        data = file.read_bytes()
        digest.update(data)
        tensors |= tensors_in(data, file)
    return ForeignWeights(tensors, digest.hexdigest()[:16])


def tensors_in(data: bytes, path: Path) -> Mapping[str, Tensor]:
    """The named tensors of one file with these bytes. Raises UserError as `read_foreign` does."""
    if path.suffix == SUFFIX:
        return parse_safetensors(data, path).tensors
    return find_tensors(plain_content(data, path), path)


def plain_content(data: bytes, path: Path) -> object:
    """What torch.save wrote: tensors, numbers, words, lists and dictionaries. Raises UserError for anything else."""
    try:
        if is_zipfile(io.BytesIO(data)):
            return load_archive(data, path)
        with damaged_if_unreadable(path), warnings.catch_warnings():  # of PyTorch before 1.6, as many published files
            warnings.simplefilter("ignore")  # PyTorch's about a pickle of another protocol, which is then refused
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
            refuse_expanded(content, path, len(data))
            return content
    except DamagedCheckpoint as error:
        if not isinstance(error.__cause__, UnpicklingError):
            raise
        raise DamagedCheckpoint(
            f"{path} holds more than tensors and plain values, and reading it could run code; if you trust it, save "
            "its tensors alone: torch.save(torch.load(FILE, weights_only=False)['state_dict'], 'weights.pt')"
        ) from error


def find_tensors(content: object, path: Path) -> Mapping[str, Tensor]:
    """The named tensors in the content of a file: all of it, or those under the first of NESTED that it has."""
    for key in (None, *NESTED):
        found = content if key is None else content.get(key) if isinstance(content, Mapping) else None
        if isinstance(found, Mapping) and found and is_named_tensors(found):
            return found
    keys = ", ".join(map(str, list(content)[:5])) if isinstance(content, Mapping) else f"a {type(content).__name__}"
    raise UserError(f"{path} holds {keys}, and no tensors by name there or under {', '.join(NESTED)}; save those alone")
