"""Index of record offsets in a class file, computed once and stored in the cache directory."""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np

from alfa_md.data.paths import cache_dir
from alfa_md.data.tfrecord.records import OVERHEAD, scan_offsets
from alfa_md.errors import UserError
from alfa_md.system.files import atomic_write

STORED = np.dtype("<i8")  # raw array without header


def class_offsets(path: Path) -> np.ndarray:
    """`scan_offsets(path)`, [n + 1] int64, cached while the size and modification time of the file are unchanged.

    The cached array is memory-mapped: the largest class files have 340 000 records, of which an episode needs few. If
    the cache directory cannot be written, the file is scanned at each call. Raises UserError as `scan_offsets` does.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the records root") from error
    index_file = _index_file(path)
    offsets = _read_index(index_file, status)
    if offsets is None:
        offsets = scan_offsets(path)
        with suppress(OSError):
            index_file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(index_file) as file:
                file.write(np.concatenate([[status.st_mtime_ns], offsets]).astype(STORED).tobytes())
    return offsets


def discard_index(path: Path) -> None:
    """Removes the cached offsets of a class file, which do not fit its records."""
    with suppress(OSError):
        _index_file(path).unlink()


def _index_file(path: Path) -> Path:
    return cache_dir() / "index" / f"{sha256(os.fsencode(path.resolve())).hexdigest()[:32]}.offsets"


def _read_index(index_file: Path, status: os.stat_result) -> np.ndarray | None:
    """Offsets in an index file [modification time, offsets...]; None if they are stale or damaged."""
    try:
        values = np.asarray(np.memmap(index_file, STORED, "r"))
    except (OSError, ValueError):  # ValueError: the size is no multiple of the item size
        return None
    if len(values) < 2:
        return None
    offsets = values[1:]
    whole = offsets[0] == 0 and (np.diff(offsets) >= OVERHEAD).all()  # else a reader would allocate absurd amounts
    return offsets if whole and (values[0], offsets[-1]) == (status.st_mtime_ns, status.st_size) else None
