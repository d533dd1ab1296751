"""Disk usage of the records root and of the cache: paths, free space, and size of derived files."""

import os
import shutil
from pathlib import Path
from typing import Any

from alfa_md.data.paths import cache_dir


def disk_usage(records_root_dir: Path) -> dict[str, dict[str, Any]]:
    """Path, free bytes and writability of the records root and the cache, and bytes used by each cache folder."""
    cache = cache_dir()
    return {
        "records root": folder_usage(records_root_dir),
        "cache": folder_usage(cache) | {name: bytes_on_disk(cache / name) for name in cache_folders(cache)},
    }


def folder_usage(folder: Path) -> dict[str, Any]:
    """Path, free bytes and writability of a folder, or of its nearest existing parent."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    writable = os.access(there, os.W_OK | os.X_OK)
    return {"path": str(folder), "free": shutil.disk_usage(there).free, "writable": writable}


def cache_folders(cache: Path) -> list[str]:
    """Names of the folders in the cache, one per kind of derived file."""
    return sorted(path.name for path in cache.iterdir() if path.is_dir()) if cache.is_dir() else []


def bytes_on_disk(folder: Path) -> int:
    """Allocated bytes of all files below a folder; holes of sparse files do not count."""
    blocks = 512
    return sum(path.stat().st_blocks * blocks for path in folder.rglob("*") if path.is_file())
