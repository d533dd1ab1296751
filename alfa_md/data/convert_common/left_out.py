"""Originals that a conversion leaves out, counted and named for its report."""

from collections.abc import Collection, Iterable
from pathlib import Path

from alfa_md.data.images.image_files import visible_files
from alfa_md.errors import escape_controls

NAMED = 3


def report_names(what: str, names: Iterable[str]) -> tuple[str, ...]:
    """One line that counts `names` of `what` and gives the first; no line if there are none."""
    names = list(names)
    listed = escape_controls(", ".join(names[:NAMED])) + (", ..." if len(names) > NAMED else "")
    return (f"{len(names)} {what}: {listed}",) if names else ()


def report_unused(folder: Path, used: Collection[Path], expected: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A line about the visible files below `folder` that are not `used` and do not end in `expected`.

    A link to a folder is used if one of its files is.
    """
    paths = {path.relative_to(folder) for path in used}
    folders = {path.parent for path in paths}
    folders |= {above for place in folders for above in place.parents}
    kept = {path.as_posix() for path in paths | folders}
    names = sorted(name for name in visible_files(folder) if name not in kept and not name.endswith(expected))
    return report_names(f"files of {folder.name}/ left out, in no class or not images", names)
