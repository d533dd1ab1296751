"""Reading and writing of `dataset_spec.json`, the class specification of a Meta-Dataset source.

A source is a directory `<records root>/<name>` with this file and one record file per class; or it lies in shards
below `<records root>/meta_dataset` (`alfa_md/data/prepared.py`).
"""

import json
import os
from pathlib import Path

from alfa_md.data.layouts import SPEC_FILE
from alfa_md.data.parse_spec import parse_spec
from alfa_md.data.prepared import find_prepared, load_prepared
from alfa_md.data.spec_kinds import SPLITS, BiLevelSpec, DatasetSpec, HierarchicalSpec, Node
from alfa_md.errors import MissingSource, UserError
from alfa_md.system.files import atomic_write

__all__ = [
    "SPEC_FILE",
    "SPLITS",
    "BiLevelSpec",
    "DatasetSpec",
    "HierarchicalSpec",
    "Node",
    "load_spec",
    "missing_spec",
    "parse_spec",
    "save_spec",
]


def load_spec(directory: Path) -> DatasetSpec:
    """The specification in `directory`, whose name must be that of the source; or of that source in shards beside it.

    Raises MissingSource if there is none, UserError if it is malformed.
    """
    directory = Path(os.path.abspath(directory))
    file = directory / SPEC_FILE
    try:
        data = json.loads(file.read_bytes())
    except FileNotFoundError:
        if prepared := find_prepared(directory.parent, directory.name):
            return load_prepared(prepared, directory.name)
        raise MissingSource(missing_spec(directory)) from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from error
    except RecursionError as error:
        raise UserError(f"{file}: is nested too deeply for a specification; convert the source again") from error
    except ValueError as error:
        raise UserError(f"{file}: is not valid JSON ({error}); convert the source again") from error
    spec = parse_spec(data, directory)
    if spec.name != directory.name:
        raise UserError(f"{file}: field 'name' is {spec.name!r}; the directory must be named like that")
    return spec


def save_spec(spec: DatasetSpec, directory: Path) -> None:
    """Write `dataset_spec.json` atomically into `directory`, which is created if it does not exist."""
    directory.mkdir(parents=True, exist_ok=True)
    with atomic_write(directory / SPEC_FILE) as file:
        file.write(json.dumps(spec.to_json(), indent=2).encode())


def missing_spec(directory: Path) -> str:
    """The error line for a directory without `dataset_spec.json`; mentions a legacy pickle if there is one."""
    file = directory / SPEC_FILE
    legacy = file.with_suffix(".pkl")
    if legacy.exists():
        return (
            f"{legacy}: is never opened, because a pickle can run code; to get {SPEC_FILE}, convert the source again "
            "or call load_dataset_spec(folder, convert_from_pkl=True) of the official meta_dataset.data.dataset_spec"
        )
    return f"{file}: not found; a source is a directory <records root>/<name> with {SPEC_FILE} and one file per class"
