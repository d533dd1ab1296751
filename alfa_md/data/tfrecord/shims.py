"""What lets the official Meta-Dataset package run on the Python, NumPy and TensorFlow of today, and beside this one.

No file of it is changed. Each measure acts on modules in memory: on the official ones, or on ours only while those are
imported. Each may be taken again without effect.
"""

import importlib
import importlib.util  # noqa: F401  gin 0.5 uses it without importing it
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np


def private_gin(checkout: Path) -> dict[str, ModuleType]:
    """A second instance of the library gin, for the official package alone, as `gin` and its submodules and `gin.tf`.

    Ours is locked when the package is imported, is parsed anew for a pretraining, and is saved as a run's config.gin,
    which must load without the package: the two keep their names, bindings and files apart.
    `gin.tf` is an alias of it: the real one needs tf.estimator, which TensorFlow dropped in 2.16.
    The official files include each other by paths from the root of the checkout and expect it to be the working
    directory; as the one place where this gin looks for files it serves as well, and the process need not move. (A
    path added to the search would come too late: gin first takes such a path for a package, and fails at folders
    without __init__.py.)
    """
    with without_packages("gin"):
        theirs = importlib.import_module("gin")
        modules = _loaded_modules(["gin"])
    theirs.config._LOCATION_PREFIXES[:] = [str(checkout)]
    theirs.tf = theirs
    return modules | {"gin.tf": theirs}


def stub_simclr() -> dict[str, ModuleType]:
    """`simclr.data_util` with nothing in it: the pipeline imports it for SimCLR episodes, which are off."""
    simclr, data_util = ModuleType("simclr"), ModuleType("simclr.data_util")
    simclr.data_util = data_util
    return {"simclr": simclr, "simclr.data_util": data_util}


def patch_ragged_spans(sampling: ModuleType) -> None:
    """Lets the sampler of module `sampling` draw a node of ImageNet's graph, from lists of classes of unequal lengths.

    NumPy takes such a ragged list for an array no more since 1.24; as an array of objects the same draw is allowed, and
    takes the same random number.
    """
    official = sampling.EpisodeDescriptionSampler
    if getattr(official, "has_patched_spans", False):
        return

    class Sampler(official):
        has_patched_spans = True

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            if hasattr(self, "span_leaves_rel"):
                self.span_leaves_rel = _object_array(self.span_leaves_rel)

    sampling.EpisodeDescriptionSampler = Sampler


def silence_deprecations() -> None:
    """The package calls what TensorFlow 2 deprecates, at every construction; only errors are for the terminal."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextmanager
def importing_with(modules: Mapping[str, ModuleType], folder: Path) -> Iterator[None]:
    """Within the block imports look in `folder` first, and find these modules in place of others of their packages."""
    with without_packages(*{name.partition(".")[0] for name in modules}):
        sys.modules.update(modules)
        sys.path.insert(0, str(folder))
        try:
            yield
        finally:
            sys.path.remove(str(folder))


@contextmanager
def without_packages(*packages: str) -> Iterator[None]:
    """Within the block these packages are as if never imported; afterwards they are as they were before it."""
    ours = _loaded_modules(packages)
    _unload(ours)
    try:
        yield
    finally:
        _unload(_loaded_modules(packages))
        sys.modules.update(ours)


def _loaded_modules(packages: Sequence[str]) -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in packages}


def _unload(names: Mapping[str, ModuleType]) -> None:
    for name in names:
        del sys.modules[name]


def _object_array(values: Sequence) -> np.ndarray:
    """An array [n] of these n objects, also where they are lists of one length."""
    array = np.empty(len(values), dtype=object)
    for position, value in enumerate(values):
        array[position] = value
    return array
