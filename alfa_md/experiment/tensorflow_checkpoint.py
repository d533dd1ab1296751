"""Recognition of TensorFlow checkpoints, which are converted before they are read."""

import re
import shlex
from pathlib import Path

from alfa_md.errors import UserError

PART = re.compile(r"\.(index|meta|data-\d+-of-\d+)$")  # the end of the name of one file of a checkpoint


def find_tensorflow_checkpoint(path: Path) -> Path | None:
    """The TensorFlow checkpoint, without `.index`, that a path names: itself, a file of it, or the newest in a folder.

    None if there is no such checkpoint.
    """
    if path.is_dir():
        found = max(path.glob("*.index"), key=lambda index: index.stat().st_mtime, default=path)
        return find_tensorflow_checkpoint(found) if found != path else None
    whole = path.with_name(PART.sub("", path.name))
    return whole if whole.with_name(f"{whole.name}.index").is_file() else None


def refuse_tensorflow_checkpoint(path: Path) -> None:
    """Raises UserError with the command of the conversion if a path names a TensorFlow checkpoint."""
    if found := find_tensorflow_checkpoint(path):
        command = shlex.join(["checkpoint", f"--from={found}", f"--to={found.with_suffix('.pt')}"])
        raise UserError(
            f"{path} is a TensorFlow checkpoint; convert it and name the new file: python -m alfa_md.convert {command}"
        )
