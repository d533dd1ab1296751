"""Reading and writing of TensorFlow checkpoints as variables by name, compatible with `tf.compat.v1.train.Saver`."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from alfa_md.data.tfrecord.runtime import tensorflow
from alfa_md.errors import UserError


def checkpoint_files(prefix: Path) -> list[Path]:
    """The existing files of the checkpoint `prefix`: its data files, then `<prefix>.index`."""
    data, index = f"{prefix.name}.data-", f"{prefix.name}.index"
    return sorted(path for path in prefix.parent.glob("*") if path.name.startswith(data) or path.name == index)


def read_variables(prefix: Path) -> dict[str, np.ndarray]:
    """Every variable of the checkpoint `prefix`, its path without `.index`.

    Raises UserError naming the checkpoint if it is missing or damaged, or if TensorFlow is not installed.
    """
    tf = tensorflow()
    if not Path(f"{prefix}.index").is_file():
        raise UserError(f"{prefix}: no such TensorFlow checkpoint (there is no {prefix.name}.index)")
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        return {name: np.asarray(reader.get_tensor(name)) for name in sorted(reader.get_variable_to_shape_map())}
    except (tf.errors.OpError, ValueError, RuntimeError, IndexError) as error:
        raise UserError(
            f"{prefix}: cannot be read as a TensorFlow checkpoint ({type(error).__name__}); "
            "copy its .index and .data files again"
        ) from error


def write_variables(prefix: Path, variables: Mapping[str, np.ndarray]) -> None:
    """Write a checkpoint of these variables; the index file, which makes it visible, is moved into place last.

    Raises UserError if the folder cannot be written or TensorFlow is not installed.
    """
    tf = tensorflow()
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{prefix.name}.", suffix=".tmp", dir=prefix.parent))
        try:
            whole = folder / prefix.name
            tf.raw_ops.SaveV2(
                prefix=str(whole),
                tensor_names=list(variables),
                shape_and_slices=[""] * len(variables),
                tensors=[np.asarray(value, order="C") for value in variables.values()],
            )
            for file in checkpoint_files(whole):  # the index last, which makes the checkpoint visible
                os.replace(file, prefix.with_name(file.name))
        finally:
            shutil.rmtree(folder)
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UserError(f"{prefix}: cannot be written ({reason}); choose another place for the checkpoint") from error
