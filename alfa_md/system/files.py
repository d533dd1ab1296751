"""Atomic writes of files, logs that are appended to, and JSON files."""

import errno
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from alfa_md.errors import UserError


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Opens a temporary binary file that replaces `path` if the block succeeds and is removed if it fails.

    The OSError of a full disk or a read-only folder names `path`, not the temporary file.
    """
    if not path.name:  # of / and .
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{token_hex(8)}.tmp")
    try:
        with create(temporary) as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def create(path: Path) -> BinaryIO:
    """Opens a new binary file for writing. Raises FileExistsError if there is one, or a link, which is not followed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return open(path, "wb", opener=lambda name, _: os.open(name, flags, 0o666))


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 text file atomically.

    The bytes of a path that are no UTF-8 become escape sequences, which JSON and gin read as the same path again.
    """
    with atomic_write(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


class TextLog(io.FileIO):
    """A UTF-8 text file that grows: what is written is in the file at once, and an error names the file."""

    def __init__(self, path: Path):
        super().__init__(path, "a")

    def write(self, text: str) -> None:
        """Appends all of `text`. Raises OSError with the file's name, with a part of it written if the disk is full."""
        data = text.encode("utf-8", "backslashreplace")
        try:
            while data:
                data = data[super().write(data) :]
        except OSError as error:
            error.filename = str(self.name)
            raise


def write_json(path: Path, content: dict) -> None:
    """Writes a JSON file atomically. Raises UserError for NaN and infinity, which JSON does not have."""
    try:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise UserError(f"{path} cannot hold a number that is not finite ({error}); bind a finite one") from error
    write_text(path, text + "\n")
