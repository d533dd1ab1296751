"""The miniature: ten small synthetic sources in Meta-Dataset format, for runs without the real records."""

from pathlib import Path

from alfa_md.data.miniature.build import VERSION, build_miniature, is_intact
from alfa_md.data.paths import cache_dir
from alfa_md.errors import UserError
from alfa_md.system.lock import exclusive_lock

__all__ = ["build_miniature", "miniature_root"]


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
