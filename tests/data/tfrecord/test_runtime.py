import os
import subprocess
import sys

import pytest

from alfa_md.data.tfrecord import runtime
from alfa_md.errors import UserError


def test_missing_tensorflow_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    runtime._started.cache_clear()
    with pytest.raises(UserError, match=r"^TensorFlow is not installed: pip install 'alfa_md\[tf\]'"):
        runtime.tensorflow()


def test_importing_the_reader_imports_no_tensorflow():
    code = "import sys, alfa_md.data.tfrecord.source; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_settings(tf):
    assert runtime.tensorflow() is tf
    assert tf.config.get_visible_devices("GPU") == []
    assert tf.config.threading.get_inter_op_parallelism_threads() == runtime.POOL_SIZE
    assert tf.config.threading.get_intra_op_parallelism_threads() == runtime.POOL_SIZE


def test_start_is_quiet(tf):
    code = "from alfa_md.data.tfrecord.tensorflow_decoder import TensorflowDecoder; TensorflowDecoder(8)"
    untouched = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=untouched)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_tensorflow_started_by_others_is_named(tf):
    code = (
        "import tensorflow as tf; tf.config.threading.set_inter_op_parallelism_threads(1); tf.constant(1) + 1\n"
        "from alfa_md.data.tfrecord.runtime import tensorflow; tensorflow()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "UserError: TensorFlow was started by other code" in done.stderr
