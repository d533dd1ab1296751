"""Reading of text, JSON and CSV files that users or publishers wrote: UTF-8 whatever the locale, errors in one line."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alfa_md.errors import UserError

AGAIN = "write it again"


def read_text(file: Path, remedy: str = AGAIN) -> str:
    """The content of a UTF-8 text file. Raises UserError if it cannot be read or is not UTF-8."""
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read as UTF-8 text; {remedy}") from error


def read_lines(file: Path, remedy: str = AGAIN) -> list[str]:
    """The lines of a UTF-8 text file that are not blank, stripped. Raises UserError as `read_text` does."""
    return [line.strip() for line in read_text(file, remedy).splitlines() if line.strip()]


def read_json(file: Path, remedy: str = AGAIN) -> Any:
    """The content of a JSON file. Raises UserError if it is not JSON in UTF-8, or nested too deeply."""
    try:
        return json.loads(read_text(file, remedy))
    except RecursionError as error:
        raise UserError(f"{file}: is nested too deeply; {remedy}") from error
    except ValueError as error:
        raise UserError(f"{file}: is not valid JSON ({error}); {remedy}") from error


def read_rows(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file whose header has `columns`. Raises UserError if a column or a value is missing."""
    reader = csv.DictReader(io.StringIO(read_text(file)), skipinitialspace=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise UserError(f"{file}: is not a CSV file ({error}); write it again") from error
    if not set(columns) <= set(reader.fieldnames or ()):
        raise UserError(f"{file}: the first line must be the header {','.join(columns)}")
    for number, row in enumerate(rows, start=2):
        if not all(row[column] for column in columns):
            raise UserError(f"{file}: line {number} must have {' and '.join(columns)}")
    return rows
