"""The text of a run's config.gin: what was bound, in the scopes where it was bound, and the defaults that were used.

gin's own operative text writes every parameter under the full scope of its call, where it beats every later override
without that scope, and leaves out what was not called and what it cannot write.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from math import isinf
from typing import Any

import gin
import numpy as np
from gin.config import ConfigurableReference

from alfa_md.errors import UserError

HEADER = "# What was bound, in the scopes where it was bound, and the defaults that were used.\n"
UNUSED = "# Bound, but not used by this run.\n"
IMPORT = re.compile(r"(import|from) ")
LITERALS = (bool, int, float, complex, str, bytes, type(None))
WIDTH = 120

Config = dict[tuple[str, str], dict[str, Any]]  # (scope, selector) -> parameter -> value, as in gin

GIN_WROTE = re.compile(r"^# Parameters for .*:\n# =+$", re.MULTILINE)
# A scoped or unscoped binding in gin's operative text: scope, name, value with continuation lines.
WRITTEN = re.compile(r"^((?:[\w.]+/)*)([\w.]+\.\w+) = (\\\n(?:[ \t]+.*\n?)+|.*\n?)", re.MULTILINE)


def operative() -> str:
    """The text for the objects built so far, which gin can parse. Raises UserError for a value that it cannot write."""
    used, unused = _used(), {}
    for (scope, selector), values in gin.config._CONFIG.items():
        rest = {name: value for name, value in values.items() if name not in used.get((scope, selector), ())}
        if rest:
            unused[scope, selector] = rest
    if any(statement.module == "__gin__.dynamic_registration" for statement in gin.config._IMPORTS):
        merged = {key: used.get(key, {}) | unused.get(key, {}) for key in used | unused}
        return HEADER + _written(merged)  # names depend on what else is written
    bindings = "".join(line for line in _written(unused).splitlines(keepends=True) if not IMPORT.match(line)).strip()
    return HEADER + _written(used) + (f"\n{UNUSED}\n{bindings}\n" if bindings else "")


def used_part(text: str) -> str:
    """A stored text without the bindings that its run did not use."""
    return text.split(f"\n{UNUSED}")[0]


def is_stored(text: str) -> bool:
    """True for the configuration of a run, of this version or an older one."""
    return text.startswith(HEADER) or GIN_WROTE.search(text) is not None


def config_hash(text: str) -> str:
    """The first 16 hex digits of a configuration's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def literal(value: Any) -> str:
    """A value as `operative` writes it, or else as Python does."""
    return repr(_writable(value) if _is_writable(value) else value)


def unscoped(text: str) -> str:
    """gin's operative text, as older runs hold it, with fewer scopes; any other text as it is.

    A value that is the same in all scopes is written without scope, and a scoped one that equals that of its outer
    scope is left out, so that an override acts on both. Lines keep their numbers.
    """
    if text.startswith(HEADER) or not is_stored(text):
        return text
    found = defaultdict(dict)
    for scope, name, value in WRITTEN.findall(text):
        found[name][scope] = " ".join(value.replace("\\\n", " ").split())

    def rewritten(line: re.Match) -> str:
        scope, name, value = line.groups()
        values, blank = found[name], "\n" * line[0].count("\n")
        if len(set(values.values())) == 1:
            return f"{name} = {value}" if scope == next(iter(values)) else blank
        outer = next((values[place] for place in _outer(scope) if place in values), None)
        return blank if values[scope] == outer else line[0]

    return WRITTEN.sub(rewritten, text)


def _outer(scope: str) -> Iterator[str]:
    """The scopes around `a/b/c/`, innermost first: `a/b/`, `a/`, and none."""
    parts = scope.split("/")[:-1]
    for number in range(len(parts) - 1, -1, -1):
        yield "".join(f"{part}/" for part in parts[:number])


def _used() -> Config:
    """The values of all calls so far, each under the scope where it was bound; a default without scope."""
    found: Config = {}
    for (scope, selector), values in gin.config._OPERATIVE_CONFIG.items():
        for name, value in values.items():
            place = _bound_in(scope, selector, name)
            if place is not None or _is_writable(value):
                found.setdefault((place or "", selector), {})[name] = value
    return found


def _bound_in(scope: str, selector: str, name: str) -> str | None:
    """The scope of the binding that a call in `scope` takes, None for a default."""
    parts = scope.split("/") if scope else []
    places = ("/".join(parts[:number]) for number in range(len(parts), -1, -1))
    return next((place for place in places if name in gin.config._CONFIG.get((place, selector), ())), None)


class _Infinity(float):
    """An infinite number, written as a literal that is read as one."""

    def __repr__(self) -> str:
        return "1e999" if self > 0 else "-1e999"


def _written(config: Config) -> str:
    """gin's text of a configuration. Raises UserError for a value that it cannot write."""
    writable: Config = {}
    for (scope, selector), values in config.items():
        for name, value in values.items():
            try:
                writable.setdefault((scope, selector), {})[name] = _writable(value)
            except (ValueError, RecursionError) as error:
                prefix = f"{scope}/" if scope else ""
                owner = scope if selector == "gin.macro" else f"{prefix}{selector.split('.')[-1]}.{name}"
                raise UserError(
                    f"gin: {owner} is bound to {error}, which config.gin cannot hold; bind numbers, strings, lists, "
                    "dictionaries or references"
                ) from error
    return gin.config._config_str(writable, WIDTH)


def _is_writable(value: Any) -> bool:
    try:
        _writable(value)
    except (ValueError, RecursionError):
        return False
    return True


def _writable(value: Any) -> Any:
    """An equal value that gin can write. Raises ValueError, with the type, if there is none."""
    if isinstance(value, ConfigurableReference):
        return value
    if type(value) in (list, tuple):
        return type(value)(map(_writable, value))
    if type(value) is dict:
        return {_writable(key): _writable(item) for key, item in value.items()}
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) is float and isinf(value):
        return _Infinity(value)
    if type(value) in LITERALS and _reads_again(value):
        return value
    raise ValueError("nan" if type(value) is float else f"a {type(value).__name__}")


def _reads_again(value: Any) -> bool:
    try:
        return gin.config._is_literally_representable(value)
    except ValueError:  # an integer of more digits than Python converts
        return False
