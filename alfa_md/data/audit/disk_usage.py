"""Where derived files are kept, how much they take, and how much room is left."""

import os
import shutil
from pathlib import Path
from typing import Any

from alfa_md.data.paths import cache_dir


def disk_usage(records_root_dir: Path) -> dict[str, dict[str, Any]]:
    """Of the records root and of the folder of indexes and decoded images: path, free and used bytes, if writable."""
    cache = cache_dir()
    return {
        "records root": folder_usage(records_root_dir),
        "cache": folder_usage(cache) | {name: bytes_on_disk(cache / name) for name in cache_folders(cache)},
    }


def folder_usage(folder: Path) -> dict[str, Any]:
    """Free bytes and whether files can be made, in the folder or in the nearest one that exists."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    writable = os.access(there, os.W_OK | os.X_OK)
    return {"path": str(folder), "free": shutil.disk_usage(there).free, "writable": writable}


def cache_folders(cache: Path) -> list[str]:
    """The kinds of derived files that are there."""
    return sorted(path.name for path in cache.iterdir() if path.is_dir()) if cache.is_dir() else []


def bytes_on_disk(folder: Path) -> int:
    """Bytes on disk of the files below a folder; holes in them take none."""
    blocks = 512
    return sum(path.stat().st_blocks * blocks for path in folder.rglob("*") if path.is_file())
