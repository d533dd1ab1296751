"""Folders in which a result is put together before it is moved into place, also cleared after killed processes."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from alfa_md.system.lock import exclusive_lock, is_abandoned

DRAFT, LOCK = ".draft", ".lock"


@contextmanager
def draft_folder(target: Path) -> Iterator[Path]:
    """Yields an empty folder beside `target`, which is removed after the block unless it was moved away.

    Removes those that killed processes have left. A process holds a lock beside its draft, which it takes before the
    draft exists and which ends with it, so a draft that another process works on is never taken for one of those.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{target.name}.*{DRAFT}"):
        if is_abandoned(left.with_suffix(LOCK)):
            shutil.rmtree(left, ignore_errors=True)
            left.with_suffix(LOCK).unlink(missing_ok=True)
    draft = target.with_name(f".{target.name}.{uuid4().hex}{DRAFT}")
    with exclusive_lock(draft.with_suffix(LOCK)):
        try:
            draft.mkdir()
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            draft.with_suffix(LOCK).unlink(missing_ok=True)
