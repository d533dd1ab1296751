"""Compatibility shims for the official Meta-Dataset package on current Python, NumPy and TensorFlow.

No file of it is changed. Shims patch modules in memory: the official ones, or ours only while those are imported. All
are idempotent.
"""

import importlib
import importlib.util  # noqa: F401  gin 0.5 uses it without importing it
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np


def private_gin(checkout: Path) -> dict[str, ModuleType]:
    """A second instance of gin for the official package: its modules `gin`, submodules and `gin.tf` by name.

    Our gin is locked when the package is imported, is parsed again for pretraining, and is saved as the config.gin of a
    run, which must load without the package: the two keep their names, bindings and files separate.
    `gin.tf` is an alias: the real one needs tf.estimator, which TensorFlow removed in 2.16.
    The official files include each other by paths from the root of the checkout, which they expect to be the working
    directory. Instead, the root becomes the only search path of this gin. (Adding it to the search paths would not
    work: gin first resolves such a path as a package, and fails at folders without __init__.py.)
    """
    with without_packages("gin"):
        theirs = importlib.import_module("gin")
        modules = _loaded_modules(["gin"])
    theirs.config._LOCATION_PREFIXES[:] = [str(checkout)]
    theirs.tf = theirs
    return modules | {"gin.tf": theirs}


def stub_simclr() -> dict[str, ModuleType]:
    """An empty module `simclr.data_util`: the pipeline imports it for SimCLR episodes, which are off."""
    simclr, data_util = ModuleType("simclr"), ModuleType("simclr.data_util")
    simclr.data_util = data_util
    return {"simclr": simclr, "simclr.data_util": data_util}


def patch_ragged_spans(sampling: ModuleType) -> None:
    """Patch the sampler of module `sampling` to draw ImageNet nodes, whose spans are lists of unequal lengths.

    NumPy no longer converts ragged lists to arrays since 1.24; from an array of objects the same draw works and
    consumes the same random number.
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
    """Set TensorFlow's log level to errors: the package calls deprecated functions at every construction."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


class WithoutInformation(NamedTuple):
    """Filter of a log that leaves out what modules in `folder` say below the level of a warning."""

    folder: Path

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or not Path(record.pathname).is_relative_to(self.folder)


def silence_information(checkout: Path) -> None:
    """Keep the package's information, ten lines for every pipeline, out of absl's log; warnings and errors remain."""
    logging.getLogger("absl").addFilter(WithoutInformation(checkout))


@contextmanager
def importing_with(modules: Mapping[str, ModuleType], folder: Path) -> Iterator[None]:
    """Context in which imports search `folder` first and find these modules instead of others of their packages."""
    with without_packages(*{name.partition(".")[0] for name in modules}):
        sys.modules.update(modules)
        sys.path.insert(0, str(folder))
        try:
            yield
        finally:
            sys.path.remove(str(folder))


@contextmanager
def without_packages(*packages: str) -> Iterator[None]:
    """Context in which these packages are not imported; their modules are restored afterwards."""
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
    """An object array [n] of these n objects, even if they are lists of equal length."""
    array = np.empty(len(values), dtype=object)
    for position, value in enumerate(values):
        array[position] = value
    return array
