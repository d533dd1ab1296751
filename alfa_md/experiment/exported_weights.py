"""The weights of an exported run: a learner's tensors and the number of their outer updates, as safetensors."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from alfa_md.experiment.safetensors_file import SUFFIX, parse_safetensors, write_safetensors

FILE = f"model{SUFFIX}"  # of an exported run
UPDATES = "updates"  # the only word of metadata: safetensors writes several in an order that changes


def write_weights(path: Path, tensors: Mapping[str, Tensor], updates: int) -> None:
    """Writes tensors of any device and memory layout, by their names in the learner."""
    separate = {name: t.detach().cpu().clone(memory_format=torch.contiguous_format) for name, t in tensors.items()}
    write_safetensors(path, separate, {UPDATES: str(updates)})


def weights_content(data: bytes, path: Path) -> dict:
    """The content of the file `path` with these bytes, in the parts of a checkpoint: `learner` and `step`.

    Of a file that `write_weights` did not write, its tensors by name. Raises UserError if it is damaged.
    """
    tensors, metadata = parse_safetensors(data, path)
    updates = metadata.get(UPDATES, "")
    is_own = updates.isascii() and updates.isdecimal() and len(updates) < 16
    return {"learner": tensors, "step": int(updates)} if is_own else tensors
