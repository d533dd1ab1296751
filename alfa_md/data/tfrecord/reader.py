"""Episode reader for a records root: opens one Meta-Dataset source."""

from pathlib import Path

import gin

from alfa_md.data.sampling import Sampling
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.image_cache import ImageCache, open_record_images
from alfa_md.data.tfrecord.record_images import Decode
from alfa_md.data.tfrecord.source import RecordSource
from alfa_md.errors import UserError


@gin.configurable
def records(
    root: Path,
    name: str,
    split: str,
    sampling: Sampling,
    seed: int,
    decoder: Decode = gin.REQUIRED,
    cache: ImageCache | None = None,
) -> RecordSource:
    """The episodes of source `name` under `root`, through the image cache if one is given.

    Raises MissingSource if it has no spec, MissingSplit if it has no class in the split, UserError for a malformed spec
    and for the sampling of another reader.
    """
    if not isinstance(sampling, Sampling):
        raise UserError(
            f"records are sampled by Sampling, not {type(sampling).__name__}; set Experiment.sampling = @Sampling()"
        )
    spec = load_spec(root / name)
    return RecordSource(spec, split, sampling, open_record_images(spec, decoder, cache), seed)
