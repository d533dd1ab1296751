"""Checks that the original files of a source are complete, before anything is written."""

from collections.abc import Iterable
from pathlib import Path

from alfa_md.data.images.image_files import HIDDEN
from alfa_md.errors import UserError

LISTED = 3


def raise_if_any(source_dir: Path, problems: Iterable[str], remedy: str) -> None:
    """Raise UserError with the first LISTED problems and the number of the others, if there are any."""
    problems = list(problems)
    if problems:
        more = f"; and {len(problems) - LISTED} more" if len(problems) > LISTED else ""
        raise UserError(f"{source_dir}: {'; '.join(problems[:LISTED])}{more}; {remedy}")


def require_originals(source_dir: Path, remedy: str, folders: Iterable[str] = (), files: Iterable[str] = ()) -> None:
    """Raise UserError for folders and files missing below `source_dir`; `remedy` tells how to get them."""
    raise_if_any(source_dir, [] if source_dir.is_dir() else ["no such folder"], remedy)
    missing = [f"folder {name} is missing" for name in folders if not (source_dir / name).is_dir()]
    raise_if_any(
        source_dir, missing + [f"file {name} is missing" for name in files if not (source_dir / name).is_file()], remedy
    )


def folder_names(folder: Path) -> list[str]:
    """Sorted names of the folders in `folder`, without hidden ones."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(HIDDEN))


def file_names(folder: Path, *endings: str) -> list[str]:
    """Sorted names in `folder` that end in one of `endings`, ignoring case, without hidden ones."""
    names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    return sorted(name for name in names if name.lower().endswith(endings))
