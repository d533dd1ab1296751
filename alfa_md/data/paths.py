"""Where records are found and where the package may keep derived files."""

import os
from pathlib import Path


def cache_dir() -> Path:
    """The user's cache directory for this package: `ALFA_MD_CACHE`, else the XDG default."""
    override = os.environ.get("ALFA_MD_CACHE")
    if override:
        return Path(override).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "alfa_md"
