"""Episode reader for image benchmarks: opens a data set by its name in any of its published layouts."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import gin

from alfa_md.data.fixed_way import FixedWay
from alfa_md.data.images import folder
from alfa_md.data.images.source import ImageSource
from alfa_md.data.images.transform import Transform
from alfa_md.errors import UserError, require_at_least
from alfa_md.values import CountOrZero


@gin.configurable
def images(
    root: Path,
    name: str,
    split: str,
    sampling: FixedWay,
    seed: int,
    transform: Transform | Mapping[str, Transform] | None = None,
    cache_megabytes: CountOrZero = 1024,
) -> ImageSource:
    """The episodes of data set `name` in the folder `<root>/<name>`.

    Args:
      root: the folder of data sets.
      name: the module of this package that reads it; any other name is the user's own data (module `folder`).
      split: train, valid or test.
      sampling: way, shots and queries.
      seed: of the episodes.
      transform: one image transform for all data sets, or a dictionary by name (as in cross-domain tests). The default
        is that of the data set.
      cache_megabytes: memory for resized images, per source; 0 for none.

    Raises MissingSource or MissingSplit if there are no images, UserError for invalid data.
    """
    if not isinstance(sampling, FixedWay):
        raise UserError(
            f"the reader images takes its episodes from FixedWay, not {type(sampling).__name__}; bind "
            "Experiment.sampling = @FixedWay()"
        )
    require_at_least(0, "images", cache_megabytes=cache_megabytes)
    module = data_set_module(name)
    chosen = transform.get(name) if isinstance(transform, Mapping) else transform
    return ImageSource(
        module.open_split(root / name, split),
        name,
        split,
        sampling,
        chosen or module.TRANSFORM,
        seed,
        rotates=split in getattr(module, "ROTATED", ()),
        cache_megabytes=cache_megabytes,
    )


def data_set_module(name: str) -> ModuleType:
    """The module that reads a data set: the one of its name that has a TRANSFORM, else `folder`."""
    full = f"{__package__}.{name}"
    if name.isidentifier() and find_spec(full):
        module = import_module(full)
        if hasattr(module, "TRANSFORM"):
            return module
    return folder
