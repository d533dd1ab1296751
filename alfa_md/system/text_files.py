"""Reading of text, JSON and CSV files that users or publishers wrote: UTF-8 whatever the locale, errors in one line."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
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


def read_json(file: Path, remedy: str = AGAIN, pairs_hook: Callable[[list], Any] | None = None) -> Any:
    """The content of a JSON file; `pairs_hook` makes its objects, by default dictionaries.

    Raises UserError if it is not JSON in UTF-8, or nested too deeply.
    """
    try:
        return json.loads(read_text(file, remedy), object_pairs_hook=pairs_hook)
    except RecursionError as error:
        raise UserError(f"{file}: is nested too deeply; {remedy}") from error
    except ValueError as error:
        raise UserError(f"{file}: is not valid JSON ({error}); {remedy}") from error


def read_name_lists(file: Path, remedy: str = AGAIN) -> dict[str, list[str]]:
    """The content of a JSON file that is an object of lists of names. Raises UserError for any other content."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):  # JSON keeps the last
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise UserError(f"{file}: has {twice!r} twice; make one list of both")
        return content

    content = read_json(file, remedy, unique)
    lists = content.values() if isinstance(content, dict) else [None]
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists):
        raise UserError(f"{file}: must be an object of lists of class names; {remedy}")
    return content


def read_rows(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file whose header has `columns`.

    Raises UserError if a column or a value is missing, a column stands twice, or a row has more values than columns.
    """
    reader = csv.DictReader(io.StringIO(read_text(file)), skipinitialspace=True)
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise UserError(f"{file}: is not a CSV file ({error}); write it again") from error
    if not set(columns) <= set(reader.fieldnames or ()):
        raise UserError(f"{file}: the first line must be the header {','.join(columns)}")
    if twice := [column for column in columns if reader.fieldnames.count(column) > 1]:
        raise UserError(f"{file}: the header has {twice[0]} twice; keep one")
    for number, row in rows:
        if not all(row[column] for column in columns):
            raise UserError(f"{file}: line {number} must have {' and '.join(columns)}")
        if any(row.pop(None, ())):
            raise UserError(f"{file}: line {number} has more values than the header; put a name with commas in quotes")
    return [row for _, row in rows]
