"""Synthetic originals of ilsvrc_2012_v2, which are those of ilsvrc_2012."""

from tests.data.convert.originals.ilsvrc_2012 import write

__all__ = ["write"]
