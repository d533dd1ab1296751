"""Paths as users give them in flags and environment variables."""

from pathlib import Path

from alfa_md.errors import UserError


def user_path(given: str | Path) -> Path:
    """The path with ~ or ~name replaced by that home folder. Raises UserError if it is not known."""
    try:
        return Path(given).expanduser()
    except RuntimeError as error:  # no such account, or a container without accounts and without HOME
        home = Path(given).parts[0]
        raise UserError(f"{given}: the home folder {home} is not known; write the whole path") from error


def output_path(given: str | Path) -> Path:
    """The path of a file to write. Raises UserError if it has no name of its own, as `.` and `..`."""
    path = user_path(given)
    if path.name in ("", ".."):
        raise UserError(f"{given}: is a folder, not the name of a file; add a name")
    return path
