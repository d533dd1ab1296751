"""Bad input of a script or a benchmark, reported in one line with exit code 2."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from alfa_md.errors import UserError
from alfa_md.system.startup import BAD_INPUT


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Ends the process with `error: <one line>` on stderr if the block raises UserError."""
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)
