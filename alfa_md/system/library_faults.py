"""Faults of other libraries in one line for the user."""

from collections.abc import Iterator
from contextlib import contextmanager

from alfa_md.errors import UserError, brief
from alfa_md.system.exhaustion import describe_exhaustion


@contextmanager
def refused(problem: str, remedy: str) -> Iterator[None]:
    """Raises UserError(`problem (fault); remedy`) for whatever a library raises within; a lack of resources passes."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if describe_exhaustion(error):
            raise
        raise UserError(f"{problem} ({brief(error)}); {remedy}") from error
