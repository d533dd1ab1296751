"""The miniature: ten small drawn sources in the layout of Meta-Dataset, for machines without the real records."""

from pathlib import Path

from alfa_md.data.miniature.build import VERSION, build, intact
from alfa_md.data.paths import cache_dir
from alfa_md.errors import UserError
from alfa_md.system.lock import exclusive_lock

__all__ = ["build", "miniature_root"]


def miniature_root(seed: int = 0) -> Path:
    """The records root of the miniature in the user's cache directory, verified, and built first if need be.

    Building takes well under a minute on two cores and shows a progress bar; verification reads every file once.
    Raises UserError when it cannot be built, mostly because the cache directory cannot be written.
    """
    root = cache_dir() / f"miniature-{VERSION}-{seed}"
    if intact(root, seed):
        return root
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(root.with_name(f".{root.name}.lock")):
            if not intact(root, seed):
                build(root, seed)
    except (OSError, RuntimeError) as error:
        remedy = "set ALFA_MD_CACHE to a directory with 30 MB free"
        raise UserError(f"{root}: the miniature cannot be built ({error}); {remedy}") from error
    return root
