"""Converters from the original files of a source to records: one module a source, found by its name."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from alfa_md.errors import UserError


def converter(source: str) -> Callable[[Path, Path], Path]:
    """`convert(source_dir, records_root_dir) -> directory written` of the module `source`; UserError if none is."""
    known = sorted(module.name for module in iter_modules(__path__))
    if source not in known:
        raise UserError(f"unknown source {source!r}; known sources: {', '.join(known)}")
    return import_module(f"{__name__}.{source}").convert
