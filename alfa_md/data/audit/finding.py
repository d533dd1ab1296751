"""The finding of an audit."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One line with the file, the problem and the remedy. A warning does not affect runs of this package."""

    line: str
    warning: bool = False
