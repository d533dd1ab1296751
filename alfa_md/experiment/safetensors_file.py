"""Files of tensors in the safetensors format, which hold no code: an 8-byte length, a JSON header, and the values.

Format: https://github.com/huggingface/safetensors. The library proves that the values of all tensors lie in the file
one after another without a gap, so that no tensor is larger than its file.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from safetensors.torch import load, save
from torch import Tensor

from alfa_md.errors import UserError
from alfa_md.system.files import atomic_write

SUFFIX = ".safetensors"
LENGTH = 8  # bytes of the length of the header
LONGEST_HEADER = 2**24  # bytes; a model of a hundred thousand tensors needs less


class SafetensorsContent(NamedTuple):
    """The tensors of a file by name, on the CPU in their own types, and its metadata: words by name."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]


def read_safetensors(path: Path) -> SafetensorsContent:
    """The content of a safetensors file. Raises UserError if it is missing or damaged, or its header is too long."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist; name another file") from error
    return parse_safetensors(data, path)


def parse_safetensors(data: bytes, path: Path) -> SafetensorsContent:
    """The content of the safetensors file `path` with these bytes. Raises UserError as `read_safetensors` does."""
    length = int.from_bytes(data[:LENGTH], "little")
    if length > min(LONGEST_HEADER, len(data) - LENGTH):
        raise UserError(
            f"{path}: claims a header of {length} bytes, and has {len(data)}; at most {LONGEST_HEADER} are read; "
            "use another file"
        )
    try:
        tensors = load(data)
        header = json.loads(data[LENGTH : LENGTH + length], object_pairs_hook=_unique)
    except Exception as error:  # the library's, and KeyError for a type that PyTorch lacks
        raise UserError(f"{path}: is not a readable safetensors file ({error}); use another file") from error
    return SafetensorsContent(tensors, header.get("__metadata__", {}))


def write_safetensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Writes a safetensors file atomically. Tensors must not share memory.

    Equal contents make equal bytes if there is at most one word of metadata; the library orders several at random.
    """
    data = save({name: t.contiguous() for name, t in tensors.items()}, dict(metadata))
    with atomic_write(path) as file:
        file.write(data)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) < len(pairs):  # the format forbids it; libraries keep the last
        raise ValueError("a name stands twice in its header")
    return content
