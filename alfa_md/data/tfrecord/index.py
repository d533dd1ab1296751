"""Where the records of a class file start, found once and remembered in the cache directory."""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np

from alfa_md.data.paths import cache_dir
from alfa_md.data.tfrecord.records import OVERHEAD, scan_offsets
from alfa_md.errors import UserError
from alfa_md.system.files import atomic_write

STORED = np.dtype("<i8")  # without a header: NumPy's own would be one more thing to be damaged


def class_offsets(path: Path) -> np.ndarray:
    """What `scan_offsets` gives, [n + 1] int64, kept and reused while the file's size and modification time agree.

    The kept array is mapped, not read: the largest class files have 340 000 records, and an episode needs a few numbers
    of each. Where the cache directory cannot be written, the file is scanned at each call. Raises UserError as
    `scan_offsets` does.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the records root") from error
    kept = cache_dir() / "index" / f"{sha256(os.fsencode(path.resolve())).hexdigest()[:32]}.offsets"
    offsets = _kept_offsets(kept, status)
    if offsets is None:
        offsets = scan_offsets(path)
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(kept) as file:
                file.write(np.concatenate([[status.st_mtime_ns], offsets]).astype(STORED).tobytes())
    return offsets


def _kept_offsets(kept: Path, status: os.stat_result) -> np.ndarray | None:
    """The offsets in a file of [modification time, offsets...], or None if they are not those of the class file."""
    try:
        values = np.asarray(np.memmap(kept, STORED, "r"))
    except (OSError, ValueError):  # the latter of a size that is none of whole numbers
        return None
    if len(values) < 2:
        return None
    offsets = values[1:]
    whole = offsets[0] == 0 and (np.diff(offsets) >= OVERHEAD).all()  # else a reader would ask for absurd amounts
    return offsets if whole and (values[0], offsets[-1]) == (status.st_mtime_ns, status.st_size) else None
