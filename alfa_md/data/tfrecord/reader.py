"""Our own reader of a records root: one source of it as episodes."""

from collections.abc import Callable
from pathlib import Path

import gin

from alfa_md.data.sampling import Sampling
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.source import RecordSource


@gin.configurable
def records(
    root: Path, name: str, split: str, sampling: Sampling, seed: int, decoder: Callable = gin.REQUIRED
) -> RecordSource:
    """The episodes of source `name` under `root`. Raises UserError where its spec is missing or malformed."""
    return RecordSource(load_spec(root / name), split, sampling, decoder, seed)
