"""The allocator setting is accepted and reduces page faults."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from alfa_md.system.allocator import keep_freed_pages
if sys.argv[1] == "keep":
    keep_freed_pages()
for _ in range(20):
    block = bytearray(48 * 2**20)  # above glibc's own sliding threshold
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def faults(setting: str) -> int:
    return int(subprocess.run([sys.executable, "-c", FAULTS, setting], capture_output=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the setting is glibc's")
def test_freed_pages_are_used_again():
    assert faults("keep") < faults("default") / 2


STREAMED = """
import resource
import torch
from alfa_md.system.allocator import keep_freed_pages
from alfa_md.data.tfrecord.runtime import tensorflow
from alfa_md.data.tfrecord.stream import Stream

def numbers():
    while True:
        yield 1

keep_freed_pages()
tf = tensorflow()
endless = tf.data.Dataset.from_generator(numbers, output_signature=tf.TensorSpec([], tf.int64))
Stream(lambda index: endless, "here").next(0)
faults = []
for _ in range(20):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.zeros(2_000_000)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(faults[-1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the setting is glibc's")
def test_a_generator_in_tf_data_does_not_undo_it():
    """TensorFlow lowers the threshold to 128 KB: each of these tensors would cost 1950 page faults."""
    pytest.importorskip("tensorflow")
    done = subprocess.run([sys.executable, "-c", STREAMED], capture_output=True, check=True)
    assert int(done.stdout) < 200
