"""References `@name` and `@name()` in gin files, and the type checks of what they are and make."""

import inspect
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from torch import nn

from alfa_md.values import Maps


class Reference(NamedTuple):
    """A reference `@target` in a gin file, or `@target()` if `called`."""

    target: Callable
    called: bool
    selector: str = ""  # the target's full name


def signature(target: Callable) -> inspect.Signature:
    """The signature of a configurable, with annotations as text if a name in them is unknown where they are read."""
    try:
        return inspect.signature(target, eval_str=True)
    except (NameError, AttributeError, SyntaxError, TypeError):
        return inspect.signature(target)


def returned(target: Callable) -> Any:
    """The annotation of what a call of `target` returns: a class itself, for a class."""
    return target if isinstance(target, type) else signature(target).return_annotation


def fits_call(function: Callable, annotation: Any) -> bool:
    """True if `function` is valid as a `Callable[[...], ...]`, as far as annotations tell."""
    inner = get_args(annotation)
    if not inner:
        return True
    arguments, result = inner
    return may_be(returned(function), result) and (arguments is ... or _takes(function, arguments))


def has_forward(made: Any, requirement: Maps) -> bool:
    """True if modules of this class have a `forward` as required, as far as annotations tell."""
    if not isinstance(made, type) or not issubclass(made, nn.Module):
        return True
    arguments, result = get_args(requirement.function)
    forward = made.forward
    if forward is nn.Module.forward:
        return False
    own = [p for p in signature(forward).parameters.values()][1:]
    return may_be(signature(forward).return_annotation, result) and _answer(own, arguments)


def makes(reference: Reference, kind: type) -> bool:
    """True if what the called `reference` makes may be of class or protocol `kind`."""
    return may_be(returned(reference.target), kind)


def call_of_made(reference: Reference, annotation: Any) -> bool:
    """True if what the called `reference` makes can be called as a `Callable[[...], ...]`."""
    made = returned(reference.target)
    if not isinstance(made, type):
        return made is not None
    if issubclass(made, nn.Module):
        inner = get_args(annotation)
        return not inner or inner[0] is ... or has_forward(made, Maps(annotation, ""))
    if "__call__" not in dir(made):
        return False
    inner, call = get_args(annotation), signature(made.__call__)
    if not inner or inner[0] is ...:
        return True
    return may_be(call.return_annotation, inner[1]) and _answer(list(call.parameters.values())[1:], inner[0])


def may_be(made: Any, wanted: Any) -> bool:
    """True if a value annotated as `made` may be valid where `wanted` is annotated; unknown annotations are valid."""
    if any(each in (Any, inspect.Parameter.empty) or isinstance(each, str) for each in (made, wanted)):
        return True
    if wanted in (None, NoneType):
        return made in (None, NoneType)
    if get_origin(wanted) is Annotated and isinstance(wanted.__metadata__[0], Maps):
        return may_be(made, wanted.__origin__) and has_forward(made, wanted.__metadata__[0])
    if get_origin(made) in (Union, UnionType) or get_origin(wanted) in (Union, UnionType):
        return any(may_be(a, b) for a in _members(made) for b in _members(wanted))
    if made in (None, NoneType):
        return False
    made, wanted = _class_of(made), _class_of(wanted)
    if not (isinstance(made, type) and isinstance(wanted, type)):
        return True
    if getattr(wanted, "_is_protocol", False):
        return all(hasattr(made, name) for name in _methods(wanted))
    return issubclass(made, wanted) or (issubclass(wanted, made) and made is not object)


def _members(annotation: Any) -> tuple:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _class_of(annotation: Any) -> Any:
    origin = get_origin(annotation)
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _class_of(annotation.__origin__)
    return origin or annotation


def _methods(protocol: type) -> list[str]:
    """The public methods of a protocol."""
    return [name for name, value in vars(protocol).items() if inspect.isfunction(value) and not name.startswith("_")]


def _takes(function: Callable, arguments: list) -> bool:
    return _accept(list(signature(function).parameters.values()), arguments)


def _accept(parameters: list[inspect.Parameter], arguments: list) -> bool:
    """True if positional `parameters` take arguments with these annotations."""
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return True
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(positional) >= len(arguments) and all(
        may_be(given, parameter.annotation) for parameter, given in zip(positional, arguments, strict=False)
    )


def _answer(parameters: list[inspect.Parameter], arguments: list) -> bool:
    """True if `parameters` take these arguments, and need no others."""
    further = [p for p in parameters[len(arguments) :] if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty]
    return not further and _accept(parameters, arguments)
