"""Lazy import of TensorFlow: quiet, CPU only, with small thread pools."""

import importlib
import os
from functools import cache
from threading import Lock
from types import ModuleType

from alfa_md.errors import UserError
from alfa_md.system.extras import not_installed

POOL_SIZE = 2  # threads in each of TensorFlow's two pools; the decoder has a pool of its own
_starting = Lock()


def tensorflow() -> ModuleType:
    """The module `tensorflow`, configured to run alongside PyTorch.

    Raises UserError if TensorFlow is not installed or was initialised before with other settings.
    """
    with _starting:
        return _started()


@cache
def _started() -> ModuleType:
    # Both are read at import. Errors arrive as exceptions; oneDNN is not used in decoding and would log a message.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    try:
        tf = importlib.import_module("tensorflow")
    except ImportError as error:
        raise not_installed("TensorFlow", "tf") from error
    try:
        tf.config.set_visible_devices([], "GPU")  # it would allocate the memory that PyTorch needs
        tf.config.threading.set_inter_op_parallelism_threads(POOL_SIZE)
        tf.config.threading.set_intra_op_parallelism_threads(POOL_SIZE)
    except RuntimeError as error:
        raise UserError("TensorFlow was started by other code; build the decoder before using it elsewhere") from error
    return tf
