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
