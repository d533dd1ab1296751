"""Whether a value of a gin file is what the annotation of its parameter asks for, and how to say what that is."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

NAMES = {int: "a whole number", float: "a number", bool: "True or False", str: "a string", NoneType: "None"}


class Reference(NamedTuple):
    """`@target` of a gin file, or `@target()` where it is called."""

    target: Callable
    called: bool
    selector: str = ""  # the target's full name


def fits(value: Any, annotation: Any) -> bool:
    """Whether `value` may be given to a parameter annotated so; in doubt it may.

    A whole number passes for a `float` and a list for a tuple, but a string for no sequence. Mappings and the arguments
    of callables are not looked into.
    """
    kind, inner = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        return any(fits(value, each) for each in inner)
    if kind is Literal:
        return value in inner
    if not _is_checkable(kind):
        return True
    if isinstance(value, Reference):
        return _gives(value, kind)
    if kind in (int, float):
        return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    if issubclass(kind, tuple | list) or kind is Sequence:
        return isinstance(value, tuple | list) and _fits_each(value, inner)
    return isinstance(value, kind)


def words(annotation: Any) -> str:
    """What a parameter annotated so takes, as the end of "... must be"."""
    kind, inner = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        return " or ".join(words(each) for each in inner)
    if kind is Literal:
        return " or ".join(map(repr, inner))
    if kind is Callable:
        return "a reference @name"
    if kind is tuple and inner and inner[-1] is not ...:
        return f"({', '.join(words(each) for each in inner)})"
    if isinstance(kind, type) and issubclass(kind, Sequence) and kind is not str:
        return "a list" + (f", each {words(inner[0])}" if inner else "")
    if kind is Mapping or kind is dict:
        return "a dictionary"
    return NAMES.get(kind) or f"a {getattr(kind, '__name__', kind)}, written @name()"


def needed(target: Callable) -> set[str]:
    """The parameters that a call has to give."""
    parameters = inspect.signature(target).parameters.values()
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {p.name for p in parameters if p.default is inspect.Parameter.empty and p.kind not in variadic}


def _is_checkable(kind: Any) -> bool:
    """A class that says what its instances are; a protocol does not."""
    return isinstance(kind, type) and kind is not Any and not getattr(kind, "_is_protocol", False)


def _fits_each(values: Sequence, annotations: tuple) -> bool:
    if len(annotations) > 1 and annotations[-1] is not ...:
        return len(values) == len(annotations) and all(map(fits, values, annotations))
    return not annotations or all(fits(value, annotations[0]) for value in values)


def _gives(reference: Reference, kind: type) -> bool:
    target = reference.target
    if not reference.called:
        return isinstance(target, kind)
    made = target if isinstance(target, type) else inspect.signature(target, eval_str=True).return_annotation
    return made is inspect.Parameter.empty or not isinstance(made, type) or issubclass(made, kind)
