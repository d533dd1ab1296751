"""The plain path: PyTorch's own operations in place of fast kernels. `pytest --plain` runs the whole suite on it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from alfa_md.backbones import conv_block
from alfa_md.kernels.dispatch import plain_operations


@contextmanager
def plain_path() -> Iterator[None]:
    """Inside, networks are built and run on the plain path."""
    with pytest.MonkeyPatch.context() as monkeypatch, plain_operations():
        monkeypatch.setattr(conv_block, "PoolFirst", conv_block.PlainBlock)
        yield
