"""Which records a run reads: the user's, or the embedded miniature when none are given."""

import os
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.miniature import miniature_root
from alfa_md.data.spec import missing_spec
from alfa_md.errors import UserError

VARIABLE = "META_DATASET_RECORDS"


class RecordsRoot(NamedTuple):
    """A folder with one folder of records a source, and whether it is the user's or the miniature."""

    path: Path
    kind: str  # "records" or "miniature"


def records_root(flag: str | None, recorded: dict | None = None) -> RecordsRoot:
    """The root that a flag names, else the environment variable, else the run's own, else the miniature.

    Raises UserError where the folder is missing or holds no source.
    """
    given = flag or os.environ.get(VARIABLE)
    if not given and recorded and recorded["data_kind"] == "records":
        given = recorded["data_root"]
    if not given:
        return RecordsRoot(miniature_root(), "miniature")
    path = Path(given).expanduser().resolve()
    remedy = f"set --records_root_dir or {VARIABLE} to the folder that holds ilsvrc_2012/, omniglot/, ..."
    if not path.is_dir():
        raise UserError(f"records root {path} does not exist; {remedy}")
    if not any(path.glob("*/dataset_spec.json")):
        if legacy := sorted(path.glob("*/dataset_spec.pkl")):
            raise UserError(missing_spec(legacy[0].parent))
        raise UserError(f"records root {path} holds no */dataset_spec.json; {remedy}")
    return RecordsRoot(path, "records")


def announcement(root: RecordsRoot) -> str:
    """What a run says of its data at the start."""
    if root.kind == "records":
        return f"Records: {root.path}"
    return (
        "EMBEDDED MINIATURE DATA: drawn by this package, NOT Meta-Dataset. Its accuracies compare with no published "
        f"number. Give --records_root_dir or {VARIABLE} for real records."
    )
