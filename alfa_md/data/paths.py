"""Path of the cache directory for derived files (record indexes, decoded images, the miniature)."""

import os
from pathlib import Path

from alfa_md.errors import UserError
from alfa_md.system.user_path import user_path

CACHE_VARIABLE = "ALFA_MD_CACHE"


def cache_dir() -> Path:
    """The user's cache directory for this package: --cache_dir, `ALFA_MD_CACHE`, else the XDG default.

    Raises UserError if none is given in a process without a home folder.
    """
    override = os.environ.get(CACHE_VARIABLE)
    if override:
        return user_path(override)
    try:
        return user_path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "alfa_md"
    except UserError as error:
        raise UserError(f"no home folder for the cache; set {CACHE_VARIABLE} or --cache_dir to a folder") from error
