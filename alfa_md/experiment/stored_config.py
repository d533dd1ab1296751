"""The text of a run's config.gin: what was bound, in the scopes where it was bound, and the defaults that were used.

gin's own operative text writes every parameter under the full scope of its call, where it beats every later override
without that scope, and leaves out what was not called and what it cannot write.
"""

import hashlib
import re
from typing import Any

import gin

from alfa_md.errors import UserError
from alfa_md.experiment import gin_values, older_config

HEADER = "# What was bound, in the scopes where it was bound, and the defaults that were used.\n"
UNUSED = "# Bound, but not used by this run.\n"
IMPORT = re.compile(r"(import|from) ")
WIDTH = 120

Config = dict[tuple[str, str], dict[str, Any]]  # (scope, selector) -> parameter -> value, as in gin


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
    return text.startswith(HEADER) or is_older(text)


def in_bound_scopes(text: str) -> str:
    """A text of any version with values in the scopes where they were bound, as far as an older one tells."""
    return older_config.unscoped(text) if is_older(text) else text


def is_older(text: str) -> bool:
    """True for a text of gin itself."""
    return not text.startswith(HEADER) and older_config.GIN_WROTE.search(text) is not None


def config_hash(text: str) -> str:
    """The first 16 hex digits of a configuration's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_used(name: str) -> bool:
    """True if something that was called so far has taken the binding of this parameter or macro."""
    if "." not in name:
        return "value" in _used().get((name, "gin.macro"), {})
    key = gin.config.ParsedBindingKey.parse(name)
    return key.arg_name in _used().get((key.scope, key.complete_selector), {})


def _used() -> Config:
    """The values of all calls so far, each under the scope where it was bound; a default without scope."""
    found: Config = {}
    for (scope, selector), values in gin.config._OPERATIVE_CONFIG.items():
        for name, value in values.items():
            place = _bound_in(scope, selector, name)
            if place is not None or gin_values.is_writable(value):
                found.setdefault((place or "", selector), {})[name] = value
    return found


def _bound_in(scope: str, selector: str, name: str) -> str | None:
    """The scope of the binding that a call in `scope` takes, None for a default."""
    parts = scope.split("/") if scope else []
    places = ("/".join(parts[:number]) for number in range(len(parts), -1, -1))
    return next((place for place in places if name in gin.config._CONFIG.get((place, selector), ())), None)


def _written(config: Config) -> str:
    """gin's text of a configuration. Raises UserError for a value that it cannot write."""
    writable: Config = {}
    for (scope, selector), values in config.items():
        for name, value in values.items():
            try:
                writable.setdefault((scope, selector), {})[name] = gin_values.writable(value)
            except (ValueError, RecursionError) as error:
                prefix = f"{scope}/" if scope else ""
                owner = scope if selector == "gin.macro" else f"{prefix}{selector.split('.')[-1]}.{name}"
                raise UserError(
                    f"gin: {owner} is bound to {error}, which config.gin cannot hold; bind numbers, strings, lists, "
                    "dictionaries or references"
                ) from error
    return gin.config._config_str(writable, WIDTH)
