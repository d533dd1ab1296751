"""The plain path: what papers write, by PyTorch's own operations. `pytest --plain` runs the whole suite on it."""

import contextlib

import pytest

from alfa_md.backbones import conv_block
from alfa_md.kernels import order


class Never:
    """In place of the variable that says whether gradients will be differentiated again."""

    def get(self) -> bool:
        return False

    def set(self, value: bool) -> None:
        """Is not heard."""

    def reset(self, token: None) -> None:
        """Nothing was set."""


def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes operations those of first order."""
    monkeypatch.setattr(order, "_again", Never())


@contextlib.contextmanager
def plain_path():
    """Everything that is built or run inside is plain."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        never(monkeypatch)
        monkeypatch.setattr(conv_block, "PoolFirst", conv_block.PlainBlock)
        yield
