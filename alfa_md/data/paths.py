"""Path of the cache directory for derived files (record indexes, decoded images, the miniature)."""

import os
from pathlib import Path

CACHE_VARIABLE = "ALFA_MD_CACHE"


def cache_dir() -> Path:
    """The user's cache directory for this package: --cache_dir, `ALFA_MD_CACHE`, else the XDG default."""
    override = os.environ.get(CACHE_VARIABLE)
    if override:
        return Path(override).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "alfa_md"
