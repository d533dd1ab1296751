"""The allocator setting is accepted and saves page faults."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from alfa_md.allocator import keep_freed_pages
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
