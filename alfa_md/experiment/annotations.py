"""Type checks of gin values against the annotations of their parameters, and descriptions of these annotations."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

NAMES = {int: "a whole number", float: "a number", bool: "True or False", str: "a string", NoneType: "None"}


class Reference(NamedTuple):
    """A reference `@target` in a gin file, or `@target()` if `called`."""

    target: Callable
    called: bool
    selector: str = ""  # the target's full name


def matches_annotation(value: Any, annotation: Any) -> bool:
    """True if `value` is valid for a parameter with this annotation, or if that cannot be checked.

    An int is a valid `float` and a list a valid tuple, but a string is not a sequence. The contents of mappings and the
    arguments of callables are not checked.
    """
    kind, inner = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        return any(matches_annotation(value, each) for each in inner)
    if kind is Literal:
        return value in inner
    if not _is_checkable(kind):
        return True
    if isinstance(value, Reference):
        return _returns(value, kind)
    if kind in (int, float):
        return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    if issubclass(kind, tuple | list) or kind is Sequence:
        return isinstance(value, tuple | list) and _matches_each(value, inner)
    return isinstance(value, kind)


def describe_annotation(annotation: Any) -> str:
    """The valid values of a parameter with this annotation, as the end of a sentence "... must be"."""
    kind, inner = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        return " or ".join(describe_annotation(each) for each in inner)
    if kind is Literal:
        return " or ".join(map(repr, inner))
    if kind is Callable:
        return "a reference @name"
    if kind is tuple and inner and inner[-1] is not ...:
        return f"({', '.join(describe_annotation(each) for each in inner)})"
    if isinstance(kind, type) and issubclass(kind, Sequence) and kind is not str:
        return "a list" + (f", each {describe_annotation(inner[0])}" if inner else "")
    if kind is Mapping or kind is dict:
        return "a dictionary"
    return NAMES.get(kind) or f"a {getattr(kind, '__name__', kind)}, written @name()"


def signature(target: Callable) -> inspect.Signature:
    """The signature of a configurable, with annotations as text if a name in them is unknown where they are read."""
    try:
        return inspect.signature(target, eval_str=True)
    except (NameError, AttributeError, SyntaxError, TypeError):
        return inspect.signature(target)


def required_parameters(target: Callable) -> set[str]:
    """The names of the parameters without a default."""
    parameters = inspect.signature(target).parameters.values()
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {p.name for p in parameters if p.default is inspect.Parameter.empty and p.kind not in variadic}


def _is_checkable(kind: Any) -> bool:
    """True for classes other than protocols, for which isinstance is meaningful."""
    unknown = kind is Any or kind is inspect.Parameter.empty  # of a parameter without annotation
    return isinstance(kind, type) and not unknown and not getattr(kind, "_is_protocol", False)


def _matches_each(values: Sequence, annotations: tuple) -> bool:
    if len(annotations) > 1 and annotations[-1] is not ...:
        return len(values) == len(annotations) and all(map(matches_annotation, values, annotations))
    return not annotations or all(matches_annotation(value, annotations[0]) for value in values)


def _returns(reference: Reference, kind: type) -> bool:
    target = reference.target
    if not reference.called:
        return isinstance(target, kind)
    made = target if isinstance(target, type) else signature(target).return_annotation
    return made is inspect.Parameter.empty or not isinstance(made, type) or issubclass(made, kind)
