"""The plain path: what papers write, by PyTorch's own operations. `pytest --plain` runs the whole suite on it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from alfa_md.backbones import conv_block
from alfa_md.kernels.dispatch import plain_operations


@contextmanager
def plain_path() -> Iterator[None]:
    """Everything that is built and run inside is plain."""
    with pytest.MonkeyPatch.context() as monkeypatch, plain_operations():
        monkeypatch.setattr(conv_block, "PoolFirst", conv_block.PlainBlock)
        yield
