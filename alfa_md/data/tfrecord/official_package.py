"""Loading of the official Meta-Dataset package, configured by its own gin files."""

import importlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from alfa_md.data.spec import DatasetSpec
from alfa_md.data.tfrecord.runtime import tensorflow
from alfa_md.data.tfrecord.shims import (
    importing_with,
    patch_ragged_spans,
    private_gin,
    silence_deprecations,
    silence_information,
    stub_simclr,
)
from alfa_md.errors import UserError, require_at_least

CLONE = Path(__file__).resolve().parents[3]
# In a clone of this repository; for an installed package, in the working directory.
CHECKOUT = (CLONE if (CLONE / "setup.cfg").is_file() else Path()) / "third_party" / "meta-dataset"
COMMIT = "1676095"
PIPELINE_FILE = "meta_dataset/data/pipeline.py"
GIN_FILE = "meta_dataset/learn/gin/setups/data_config.gin"


class Package(NamedTuple):
    """The modules of `meta_dataset.data` that the reader uses."""

    config: ModuleType
    dataset_spec: ModuleType
    learning_spec: ModuleType
    pipeline: ModuleType
    sampling: ModuleType

    def load_spec(self, spec: DatasetSpec) -> Any:
        """The package's specification object for a specification that this package has validated.

        Raises UserError for a source in shards, which its pipeline of class files does not read.
        """
        if spec.shards:
            raise UserError(f"{spec.path}: the official reader reads one file per class; set reader = @records")
        return self.dataset_spec.load_dataset_spec(str(spec.path))

    def read_options(self, image_size: int) -> dict[str, int]:
        """Keyword arguments of a pipeline: the values of its DataConfig, and our image size.

        Raises UserError if shuffling is off: consecutive records of a class file may show one scene, and support and
        query images would then be near-duplicates.
        """
        require_at_least(1, "official", image_size=image_size)
        config = self.config.DataConfig(image_height=image_size)
        if not config.shuffle_buffer_size:
            raise UserError(f"{GIN_FILE}: DataConfig.shuffle_buffer_size is off; set it to the official value, 1000")
        return {
            "image_size": config.image_height,
            "shuffle_buffer_size": config.shuffle_buffer_size,
            "read_buffer_size_bytes": config.read_buffer_size_bytes,
            "num_prefetch": config.num_prefetch,
        }


def find_checkout() -> Path:
    """The folder that contains `meta_dataset`: on the import path (PYTHONPATH), else third_party/meta-dataset.

    Raises UserError if there is none.
    """
    for folder in (*map(Path, sys.path), CHECKOUT):
        if (folder / PIPELINE_FILE).is_file():
            return folder.resolve()
    raise UserError(
        f"the official package meta_dataset is missing: clone google-research/meta-dataset, commit {COMMIT}, to "
        f"{CHECKOUT}, or name the folder of another clone in PYTHONPATH (third_party/README.md; pip cannot install it)"
    )


@cache
def load_package(checkout: Path) -> Package:
    """The package in folder `checkout`, with the bindings of its data_config.gin.

    They are parsed by an instance of gin that only the package uses: they do not appear among the bindings of a run,
    and bindings of a run do not reach the package. Raises UserError if it cannot be imported or configured, or
    TensorFlow is not installed.
    """
    tensorflow()  # first, so that it is initialised with our settings
    silence_deprecations()
    silence_information(checkout)
    modules = private_gin(checkout)
    theirs = modules["gin"]
    try:
        with importing_with(modules | stub_simclr(), checkout):
            package = Package(*(importlib.import_module(f"meta_dataset.data.{name}") for name in Package._fields))
            if package.pipeline.gin is not theirs:
                raise UserError("meta_dataset was imported by other code before; start a new process for the reader")
            theirs.parse_config_file(GIN_FILE)
    except (ImportError, AttributeError, ValueError, SyntaxError, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"{checkout}: cannot be used ({reason}); check out commit {COMMIT} of meta-dataset") from error
    patch_ragged_spans(package.sampling)
    return package
