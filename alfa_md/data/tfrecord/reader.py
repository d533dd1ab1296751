"""Our own reader of a records root: one source of it as episodes."""

from collections.abc import Callable
from pathlib import Path

import gin

from alfa_md.data.sampling import Sampling
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.source import RecordSource
from alfa_md.errors import UserError


@gin.configurable
def records(
    root: Path, name: str, split: str, sampling: Sampling, seed: int, decoder: Callable = gin.REQUIRED
) -> RecordSource:
    """The episodes of source `name` under `root`.

    Raises MissingSource where it has no spec, MissingSplit where it has no class in the split, UserError for a
    malformed spec and for the sampling of another reader.
    """
    if not isinstance(sampling, Sampling):
        raise UserError(
            f"records are sampled by Sampling, not {type(sampling).__name__}; set Experiment.sampling = @Sampling()"
        )
    return RecordSource(load_spec(root / name), split, sampling, decoder, seed)
