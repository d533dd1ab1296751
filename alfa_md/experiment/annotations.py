"""Type checks of gin values against the annotations of their parameters, and descriptions of these annotations."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from alfa_md.experiment.references import Reference, call_of_made, fits_call, has_forward, makes, returned
from alfa_md.values import Maps, Range

NAMES = {int: "a whole number", float: "a number", bool: "True or False", str: "a string", NoneType: "None"}


def matches_annotation(value: Any, annotation: Any) -> bool:
    """True if `value` is valid for a parameter with this annotation, or if that cannot be checked.

    An int is a valid `float` and a list a valid tuple, but a string is not a sequence. What a reference makes, and what
    it takes and returns where it is called later, is checked by annotations; the contents of mappings are not checked.
    """
    kind, inner = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        return any(matches_annotation(value, each) for each in inner)
    if kind is Literal:
        return any(type(value) is type(each) and value == each for each in inner)
    if kind is Annotated:
        return matches_annotation(value, inner[0]) and all(_meets(value, each) for each in inner[1:])
    if isinstance(value, Reference):
        return _reference_matches(value, annotation, kind)
    if not _is_checkable(kind):
        return True
    if kind in (int, float):
        return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    if kind in (tuple, list, Sequence):
        return isinstance(value, tuple | list) and _matches_each(value, inner)
    return isinstance(value, kind)


def describe_annotation(annotation: Any) -> str:
    """The valid values of a parameter with this annotation, as the end of a sentence "... must be"."""
    kind, inner = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        return " or ".join(describe_annotation(each) for each in inner)
    if kind is Literal:
        return " or ".join(map(repr, inner))
    if kind is Annotated:
        return inner[1].name if isinstance(inner[1], Maps) else f"{describe_annotation(inner[0])} {inner[1]}"
    if kind is Callable:
        return "a reference @name" + (f" {_call(inner)}" if inner else "")
    if kind is tuple and inner and inner[-1] is not ...:
        return f"({', '.join(describe_annotation(each) for each in inner)})"
    if kind in (tuple, list, Sequence):
        return "a list" + (f", each {describe_annotation(inner[0])}" if inner else "")
    if kind is Mapping or kind is dict:
        return "a dictionary"
    return NAMES.get(kind) or f"a {getattr(kind, '__name__', kind)}, written @name()"


def required_parameters(target: Callable) -> set[str]:
    """The names of the parameters without a default."""
    parameters = inspect.signature(target).parameters.values()
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {p.name for p in parameters if p.default is inspect.Parameter.empty and p.kind not in variadic}


def missing_in_call(target: Callable, annotation: Any) -> set[str]:
    """The parameters without default that a `Callable[[...], ...]` annotation does not give to `target`."""
    options = [annotation] if get_origin(annotation) is Callable else get_args(annotation)
    for option in options:
        inner = get_args(option)
        if get_origin(option) is Callable and inner and inner[0] is not ...:
            given = set(list(inspect.signature(target).parameters)[: len(inner[0])])
            return required_parameters(target) - given
    return set()


def _is_checkable(kind: Any) -> bool:
    """True for classes other than protocols, for which isinstance is meaningful."""
    unknown = kind is Any or kind is inspect.Parameter.empty  # of a parameter without annotation
    return isinstance(kind, type) and not unknown and not getattr(kind, "_is_protocol", False)


def _matches_each(values: Sequence, annotations: tuple) -> bool:
    if len(annotations) > 1 and annotations[-1] is not ...:
        return len(values) == len(annotations) and all(map(matches_annotation, values, annotations))
    return not annotations or all(matches_annotation(value, annotations[0]) for value in values)


def _reference_matches(reference: Reference, annotation: Any, kind: Any) -> bool:
    """True if a reference is valid: what it is, or what it makes if it is called."""
    if kind is Callable:
        check = call_of_made if reference.called else lambda own, wanted: fits_call(own.target, wanted)
        return check(reference, annotation)
    if not isinstance(kind, type) or kind is inspect.Parameter.empty or kind is Any:
        return True
    if reference.called:
        return makes(reference, kind)
    if kind is type and get_args(annotation):
        return isinstance(reference.target, type) and issubclass(reference.target, get_args(annotation)[0])
    return getattr(kind, "_is_protocol", False) or isinstance(reference.target, kind)


def _meets(value: Any, requirement: Any) -> bool:
    """True if a value is within a `Range`, or a reference makes modules that are as `Maps` says."""
    if isinstance(requirement, Range):
        return value in requirement
    return (
        not isinstance(requirement, Maps)
        or not isinstance(value, Reference)
        or has_forward(returned(value.target), requirement)
    )


def _call(inner: tuple) -> str:
    """The arguments and the result of a `Callable`, in words."""
    arguments, result = inner
    takes = "" if arguments is ... else f"that takes {len(arguments)} argument{'s' * (len(arguments) != 1)}"
    result = get_args(result)[0] if get_origin(result) is Annotated else result
    name = getattr(get_origin(result) or result, "__name__", str(result))
    gives = "and returns nothing" if result in (None, NoneType) else f"and returns {name}"
    return f"{takes} {gives}".strip()
