"""What a check has found."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One line that names the file, the problem and the remedy. A warning spoils no run of this package."""

    line: str
    warning: bool = False
