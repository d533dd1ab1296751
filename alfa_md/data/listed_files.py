"""Files and folders named in lists: found in any Unicode form, and only below the folder of the data set."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from unicodedata import normalize

from alfa_md.data.fields import short_repr
from alfa_md.errors import UserError


def listed_path(folder: Path, name: str, list_file: Path) -> Path:
    """The path of `name` below `folder`, or of the same name in another Unicode normal form; it may be missing.

    Raises UserError, naming `list_file`, for a name that no file can have, or that leads out of `folder`: an absolute
    one, one with `..`, or a link.
    """
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts:
        raise UserError(f"{list_file}: lists {short_repr(name)}, which leads out of {folder}; correct it")
    try:
        forms = (folder / form for form in (name, normalize("NFC", name), normalize("NFD", name)))
        path = next((form for form in forms if _exists(form)), folder / name)
        inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except (OSError, ValueError) as error:  # too long, or with characters that no name can have
        raise UserError(f"{list_file}: lists {short_repr(name)}, which cannot be the name of a file") from error
    if not inside:
        raise UserError(f"{path}: is a link that leads out of {folder}; replace it by a copy")
    return path


def match_names(listed: Iterable[str], known: Sequence[str]) -> list[str]:
    """Each of `listed` as `known` writes it, where only the Unicode normal form differs; unknown names as they are."""
    same_form: dict[str, list[str]] = {}
    for name in known:
        same_form.setdefault(normalize("NFC", name), []).append(name)

    def match(name: str) -> str:
        candidates = same_form.get(normalize("NFC", name), [])
        return candidates[0] if len(candidates) == 1 else name

    return [match(name) for name in listed]


def _exists(path: Path) -> bool:
    """True if there is something at `path`, even a broken link. Raises OSError or ValueError for an invalid name."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
