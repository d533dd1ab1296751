"""The differences between two stored configurations."""

import inspect
import re
from collections.abc import Collection, Mapping

import gin

from alfa_md.experiment import renamed
from alfa_md.experiment.gin_values import literal
from alfa_md.experiment.stored_config import in_bound_scopes, used_part


def differences(old: str, new: str, but: Collection[str] = ()) -> list[str]:
    """The bindings in which two configurations differ, as `name: old -> new`, except those named in `but`.

    A scoped parameter bound in only one of them has the value of its outer scope in the other; one bound in neither
    scope, such as one newer than a stored run, has its default. Bindings that a run did not use are not compared.
    """
    a, b = _bindings(renamed.translate(old)), _bindings(new)
    changed = []
    for key in sorted((a.keys() | b.keys()) - set(but)):
        if any(_is_bound_deeper_only(key, each) for each in (a, b)):
            continue  # the deeper ones are compared
        before, after = _in_force(key, a), _in_force(key, b)
        if (before or _default(key)) != (after or _default(key)):
            changed.append(f"{key}: {before or 'unset'} -> {after or 'unset'}")
    return changed


def _in_force(key: str, bound: Mapping[str, str]) -> str | None:
    """The value of `a/b/C.p`: that bound in this scope, or else in the next outer one; that of a macro."""
    if "." not in key:
        return bound.get(key)
    *scopes, name = key.split("/")
    places = ("/".join([*scopes[:number], name]) for number in range(len(scopes), -1, -1))
    return next((bound[place] for place in places if place in bound), None)


def _is_bound_deeper_only(key: str, bound: Mapping[str, str]) -> bool:
    *scopes, name = key.split("/")
    prefix = "".join(f"{scope}/" for scope in scopes)
    deeper = (other for other in bound if other.endswith(f"/{name}") and other.startswith(prefix) and other != key)
    return "." in name and _in_force(key, bound) is None and any(deeper)


def _default(binding: str) -> str | None:
    """The default of a parameter as written in a gin file; None for a macro or a parameter without default."""
    configurable, _, parameter = binding.split("/")[-1].rpartition(".")
    known = {selector.split(".")[-1] for selector, _ in gin.config._REGISTRY.items()}
    if not configurable or configurable.split(".")[-1] not in known:
        return None
    parameters = inspect.signature(gin.get_configurable(configurable)).parameters
    default = parameters[parameter].default if parameter in parameters else None
    return f"@{default.__name__}" if callable(default) and hasattr(default, "__name__") else literal(default)


def _bindings(text: str) -> dict[str, str]:
    joined = re.sub(r"\\?\n[ \t]+", " ", used_part(in_bound_scopes(text)))
    pairs = (line.split("=", 1) for line in joined.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}
