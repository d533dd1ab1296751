"""The miniature: ten small synthetic sources in Meta-Dataset format, for runs without the real records."""

import json
from pathlib import Path

from alfa_md.data.miniature.build import VERSION, build_miniature, is_intact
from alfa_md.data.miniature.sources import miniature_sources
from alfa_md.data.paths import cache_dir
from alfa_md.data.spec import SPEC_FILE
from alfa_md.errors import UserError
from alfa_md.system.lock import exclusive_lock

__all__ = ["build_miniature", "holds_miniature", "miniature_root"]


def miniature_root(seed: int = 0) -> Path:
    """The records root of the miniature in the cache directory, verified, and built if it does not exist.

    Building takes less than a minute on two cores and shows a progress bar; verification reads every file once.
    Raises UserError if it cannot be built, for example because the cache directory cannot be written.
    """
    root = cache_dir() / f"miniature-{VERSION}-{seed}"
    if is_intact(root, seed):
        return root
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(root.with_name(f".{root.name}.lock")):
            if not is_intact(root, seed):
                build_miniature(root, seed)
    except (OSError, RuntimeError) as error:
        remedy = "set ALFA_MD_CACHE to a directory with 30 MB free"
        raise UserError(f"{root}: the miniature cannot be built ({error}); {remedy}") from error
    return root


def holds_miniature(root: Path) -> bool:
    """True if a source under `root` has the specification of the miniature's, wherever it was copied to."""
    return any(_content(root / name / SPEC_FILE) == _own_content(name) for name in miniature_sources())


def _content(file: Path) -> object:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):  # reported when the source is opened
        return None


def _own_content(name: str) -> object:
    return json.loads(json.dumps(miniature_sources()[name].spec.to_json()))
