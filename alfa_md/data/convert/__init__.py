"""Converters from the original files of a source to records: one module per source, found by its name."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from alfa_md.data.convert_common.plan import Plan
from alfa_md.errors import UserError


def sources() -> list[str]:
    """The names of all converters, sorted."""
    return sorted(module.name for module in iter_modules(__path__))


def planner(source: str) -> Callable[[Path], Plan]:
    """The function `plan(source_dir)` of the converter `source`. Raises UserError for an unknown source."""
    if source not in sources():
        raise UserError(f"unknown source {source!r}; known sources: {', '.join(sources())}")
    return import_module(f"{__name__}.{source}").plan
