"""Overrides that have no effect: bindings out of reach of every call, because a scoped one is in force there."""

import difflib
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import gin

from alfa_md.errors import UserError
from alfa_md.experiment.stored_config import Config, is_used

MACRO = "gin.macro"  # the configurable that holds a macro; its scope is the name


def merged(before: Config, override: Config) -> Config:
    """The configuration `before` with the bindings of `override` on top."""
    return {key: before.get(key, {}) | override.get(key, {}) for key in before | override}


def refuse_shadowed(override: Config, before: Config, in_every_call: bool) -> None:
    """Raises UserError for a binding in `override` that scoped ones in `before` of other values keep from calls.

    Unless it has to act `in_every_call`, one that has calls in its own scope is accepted, as `Sampling.num_ways` is
    beside `train/Sampling.num_ways`, by `Experiment.sampling = @Sampling()`.
    """
    calls = _call_scopes(merged(before, override))
    for (scope, selector), values in override.items():
        if selector == MACRO or (scope in calls[selector] and not in_every_call):
            continue
        deeper = {
            place: bound
            for (place, other), bound in before.items()
            if other == selector and place != scope and _is_within(place, scope)
            if any(_is_within(call, place) for call in calls[selector])
        }
        for name, value in values.items():
            kept = {
                place: bound[name]
                for place, bound in deeper.items()
                if name in bound and name not in override.get((place, selector), ()) and not _equal(bound[name], value)
            }
            if kept:
                written = " and ".join(f"{_name(place, selector, name)} = {kept[place]!r}" for place in kept)
                raise UserError(
                    f"gin: {_name(scope, selector, name)} = {value!r} does not replace {written}, in force there; "
                    f"bind {' and '.join(_name(place, selector, name) for place in kept)} as well"
                )


def refuse_unused_macros(bindings: Sequence[str], config: Config) -> None:
    """Raises UserError for a macro in `bindings`, includes apart, that nothing refers to."""
    used = {reference.scoped_selector for reference in gin.config.iterate_references(config)}
    for name in re.findall(r"^\s*(\w+)\s*=", "\n".join(bindings), re.MULTILINE):
        if f"{name}/{MACRO}" not in used:
            raise UserError(f"gin: nothing uses the macro {name} here, so that it would have no effect")


def uncalled(bindings: Sequence[str], config: Config) -> list[str]:
    """A line for each binding, includes apart, that no call has taken, of a configurable that nothing refers to."""
    referred = {reference.config_key[1] for reference in gin.config.iterate_references(config)}
    names = re.findall(r"^\s*([\w./]+\.\w+)\s*=", "\n".join(bindings), re.MULTILINE)
    keys = {name: gin.config.ParsedBindingKey.parse(name) for name in names}
    return [
        f"gin: nothing calls {_short(key.complete_selector)} here, so that {name} has no effect"
        for name, key in keys.items()
        if key.complete_selector not in referred and not is_used(name)
    ]


def refuse_unknown_scopes(override: Config, config: Config, texts: Sequence[str]) -> None:
    """Raises UserError for a binding in a scope that is no macro and in no reference, also of the files `texts`."""
    called = re.findall(r"@((?:[\w.]+/)+)", "\n".join(texts))
    called += [f"{reference.scoped_selector}/" for reference in gin.config.iterate_references(config)]
    known = {scope for place in called for scope in place.split("/")}
    known |= {name for name, selector in config if selector == MACRO}
    for scope, selector in override:
        for part in scope.split("/") if scope and selector != MACRO else ():
            if part not in known:
                close = difflib.get_close_matches(part, known, n=1)
                hint = f"; did you mean {close[0]}?" if close else ""
                raise UserError(f"gin: nothing is called in the scope {part} of {scope}/{_short(selector)}{hint}")


def _is_within(place: str, scope: str) -> bool:
    return place == scope or place.startswith(f"{scope}/" if scope else "")


def _equal(one: Any, other: Any) -> bool:
    """True for values written alike; gin takes references in different scopes for equal."""
    return repr(one) == repr(other)


def _name(scope: str, selector: str, parameter: str) -> str:
    return f"{scope}/{_short(selector)}.{parameter}" if scope else f"{_short(selector)}.{parameter}"


def _short(selector: str) -> str:
    return selector.split(".")[-1]


def _call_scopes(config: Config) -> dict[str, set[str]]:
    """The scopes in which configurables are called, by selector, as far as references tell; "" if nothing refers to it.

    A reference without scope is called in the scope of its caller; a macro has its own name as scope.
    """
    uses: list[tuple[str, str, Any]] = [
        (scope, selector, reference)
        for (scope, selector), values in config.items()
        for reference in gin.config.iterate_references(values)
    ]
    referred = {reference.config_key[1] for _, _, reference in uses}
    found: dict[str, set[str]] = defaultdict(set)
    for selector in {selector for _, selector in config} - referred:
        found[selector].add("")
    for _ in uses:  # as many times as the longest chain of references may have links
        before = sum(map(len, found.values()))
        for scope, selector, reference in uses:
            places = {scope} if selector == MACRO else found[selector]
            found[reference.config_key[1]] |= {"/".join(reference.scopes)} if reference.scopes else places
        if sum(map(len, found.values())) == before:
            break
    return found
