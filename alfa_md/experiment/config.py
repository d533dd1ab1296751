"""The gin configuration: parsing of files and bindings with strict checks."""

import difflib
import importlib.util  # noqa: F401  gin 0.5 uses it without importing it
import inspect
import logging
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any, NamedTuple

import gin
from gin.config import ConfigurableReference

from alfa_md.errors import UserError
from alfa_md.experiment import gin_parts, overrides, renamed
from alfa_md.experiment.annotations import describe_annotation, matches_annotation, missing_in_call, required_parameters
from alfa_md.experiment.differences import differences
from alfa_md.experiment.gin_files import GIN_FILES
from alfa_md.experiment.gin_parts import ROOT
from alfa_md.experiment.overrides import merged, refuse_shadowed, refuse_unknown_scopes, refuse_unused_macros
from alfa_md.experiment.references import Reference, signature
from alfa_md.experiment.stored_config import Config, config_hash, is_stored, is_used, operative

LOOKUP = (NameError, AttributeError)  # under gin's dynamic registration
__all__ = ["ROOT", "config_hash", "differences", "is_used", "operative", "parse", "refuse_uncalled", "uncalled"]


def parse(files: Sequence[str], bindings: Sequence[str] = (), trusted: Collection[str] | None = None) -> None:
    """Replaces the configuration of this process by `files`, in order, and then `bindings`.

    `trusted` names the modules that the files of an opened run, not the bindings, may import besides this package; None
    is for files that the user names. Bindings after one of these that a run has stored act in every call or are
    refused; those on an opened run need not act in its training. Raises UserError for a missing file, an unknown
    configurable, parameter or macro (with the nearest names), a value of the wrong type, a binding that cannot take
    effect, and anything else that gin cannot parse.
    """
    for file in files:
        _find(file)
    gin.clear_config()
    GIN_FILES.texts.clear()
    is_opened = trusted is not None
    logging.disable(logging.ERROR)  # gin logs every path that it tries for an include
    try:
        for file in files:
            with GIN_FILES.trusting(trusted):
                _add(lambda file=file: gin.parse_config_file(file), is_opened)
        override = _add(lambda: gin.parse_config(list(map(renamed.translate, bindings))), is_opened)
        gin.finalize()
        gin.config._set_config_is_locked(False)  # else no module with a configurable can be imported from here on
    except UserError as error:
        raise UserError(str(error).splitlines()[0]) from error  # gin appends lines to errors raised through it
    except (ValueError, SyntaxError, TokenError, ImportError, OSError, *LOOKUP, TypeError, RecursionError) as error:
        raise UserError(_explain(error, bindings)) from error
    finally:
        logging.disable(logging.NOTSET)
    _refuse_unused_macros()
    refuse_unknown_scopes(override, gin.config._CONFIG, GIN_FILES.texts)
    if any(map(is_stored, GIN_FILES.texts)):
        refuse_unused_macros(bindings, gin.config._CONFIG)
    for binding in _bound():
        _refuse_wrong_type(binding)


def uncalled(bindings: Sequence[str]) -> list[str]:
    """A line for each of some bindings whose configurable nothing calls; for when all has been made."""
    return overrides.uncalled(list(map(renamed.translate, bindings)), gin.config._CONFIG)


def refuse_uncalled(bindings: Sequence[str]) -> None:
    """Raises UserError for the first of the bindings that `uncalled` finds."""
    for line in uncalled(bindings):
        raise UserError(f"{line}; leave it out")


def _add(parse_bindings: Callable[[], object], is_opened: bool) -> Config:
    """Adds what `parse_bindings` binds to the configuration; returns it. Raises UserError if it has no effect."""
    before, in_every_call = dict(gin.config._CONFIG), not is_opened and any(map(is_stored, GIN_FILES.texts))
    gin.config._CONFIG.clear()
    parse_bindings()
    own = dict(gin.config._CONFIG)
    refuse_shadowed(own, before, in_every_call)
    gin.config._CONFIG.update(merged(before, own))
    return own


def _find(file: str) -> None:
    """Raises UserError if there is no such file, with the nearest names."""
    if any(path.is_file() for path in (Path(file), ROOT / file)):
        return
    known = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "gin").glob("*.gin"))
    raise UserError(f"gin file not found: {file}{_nearest(file, known) or '; there are: ' + ', '.join(known)}")


def _explain(error: Exception, bindings: Sequence[str]) -> str:
    """gin's error message in one line, with the nearest existing names."""
    text = str(error)
    macro = re.search(r"No bindings specified for '(\w+)/gin.macro'", text)
    if macro:  # the message continues with the whole configuration
        return f"gin: the macro {macro[1]} has no value{_nearest(macro[1], sorted(_macros(text)))}"
    if isinstance(error, SyntaxError):  # of a file, or else of the bindings
        line = error.text if error.filename else "\n".join(bindings).splitlines()[error.lineno - 1]
        return f"gin: {text.splitlines()[-1].strip()}: {(line or '').strip()}"
    if isinstance(error, RecursionError):
        return "gin: brackets are nested too deeply in a file or in the bindings"
    if isinstance(error, TokenError):
        return "gin: a bracket or a string is not closed at the end of a file or of the bindings"
    lines = [line.strip() for line in text.splitlines() if line.strip(" ^")]
    text = lines[0] + (f" ({': '.join(lines[1:3])})" if len(lines) > 1 else "")
    parameter = re.search(r"Configurable '(\S+)' doesn't have a parameter named '(\w+)'", text)
    if parameter:
        current_name = renamed.current_name(f"{parameter[1].split('.')[-1]}.{parameter[2]}")
        hint = f"; it is {current_name} now" if current_name else _nearest(parameter[2], _parameters(parameter[1]))
        return f"gin: {text}{hint}"
    name = re.search(r"No configurable matching (?:reference )?'@?([\w./]+)", text)
    if not name:
        return f"gin: {text}"
    short = name[1].split("/")[-1].split(".")[-1]
    return f"gin: {text}{gin_parts.part_that_imports(short) or _nearest(short, _configurables())}"


def _configurables() -> list[str]:
    return sorted({selector.split(".")[-1] for selector, _ in gin.config._REGISTRY.items()})


def _parameters(configurable: str) -> list[str]:
    return list(inspect.signature(gin.get_configurable(configurable)).parameters)


def _nearest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _macros(text: str) -> set[str]:
    """The names of the macros that a configuration defines."""
    return set(re.findall(r"^(\w+)\s*=", text, re.MULTILINE))


def _refuse_unused_macros() -> None:
    """Raises UserError for a macro that nothing reads, probably misspelt; one overridden by a binding is accepted."""
    shipped = [file.read_text(encoding="utf-8") for file in (ROOT / "gin").rglob("*.gin")]
    texts = [gin.config_str(), *GIN_FILES.texts, *shipped]
    used = set(re.findall(r"%(\w+)", "\n".join(texts)))
    kept = {name for text in GIN_FILES.texts if is_stored(text) for name in _macros(text)}  # by a run, for later use
    for name in sorted(_macros(texts[0]) - used - kept):
        raise UserError(f"gin: nothing uses the macro {name}{_nearest(name, sorted(used))}")


class Binding(NamedTuple):
    """One binding of the configuration: `name` as in `train/Sampling.num_ways`, and the value with macros resolved."""

    name: str
    parameter: inspect.Parameter
    value: Any
    macro: str  # the macro that holds the value, "" if none
    module: str = ""  # of the configurable

    @property
    def is_given_by_code(self) -> bool:
        """True for parameters of this package without a default: those that a user binds have `gin.REQUIRED`."""
        return self.module.startswith("alfa_md.") and self.parameter.default is inspect.Parameter.empty

    def __str__(self) -> str:
        value = _written(self.value)
        return f"{self.macro} = {value}, bound to {self.name}," if self.macro else f"{self.name} = {value}"


def _bound() -> Iterator[Binding]:
    for (scope, selector), values in gin.config._CONFIG.items():
        if selector.startswith("gin."):  # macros are checked where they are used
            continue
        parameters = signature(gin.get_configurable(selector)).parameters
        prefix = f"{scope}/" if scope else ""
        for name, bound in values.items():
            if name not in parameters:  # passed as **kwargs
                continue
            value, macro = _resolved(bound)
            full_name, module = f"{prefix}{selector.split('.')[-1]}.{name}", selector.rpartition(".")[0]
            yield Binding(full_name, parameters[name], value, macro, f"{module}.")


def _resolved(value: Any) -> tuple[Any, str]:
    """A value with references as `Reference`, and the last macro in its chain. Raises UserError for circular macros."""
    macros = [""]
    while isinstance(value, ConfigurableReference) and value.selector == "gin.macro":
        macro = value.scopes[-1]
        if macro in macros:
            raise UserError(f"gin: the macro {macro} is defined by itself")
        macros.append(macro)
        value = gin.config._CONFIG[value.config_key]["value"]
    if isinstance(value, ConfigurableReference):
        return Reference(value.configurable.wrapped, value.evaluate, value.configurable.selector), macros[-1]
    if isinstance(value, list | tuple):
        return type(value)(_resolved(item)[0] for item in value), macros[-1]
    return value, macros[-1]


def _refuse_wrong_type(binding: Binding) -> None:
    value, (annotation, default) = binding.value, (binding.parameter.annotation, binding.parameter.default)
    if type(value) is type(default) and value == default:
        return
    if binding.is_given_by_code:
        raise UserError(f"gin: {binding} has no effect, because the code gives {binding.parameter.name}; leave it out")
    if not matches_annotation(value, annotation):
        raise UserError(f"gin: {binding} must be {describe_annotation(annotation)}{_other_way(value, annotation)}")
    if names := ", ".join(sorted(_missing_in_calls(value, annotation))):
        raise UserError(f"gin: {binding} is called without {names}; bind another, or bind them")
    for reference in _references(value):
        if missing := required_parameters(reference.target) - _given(reference):
            names = ", ".join(sorted(missing))
            raise UserError(f"gin: {binding} calls {_written(reference)} without {names}; leave () out")


def _other_way(value: Any, annotation: Any) -> str:
    """A hint if a reference would be valid with its () added or left out."""
    if not isinstance(value, Reference):
        return ""
    other = value._replace(called=not value.called)
    if not matches_annotation(other, annotation) or other.called and required_parameters(other.target) - _given(other):
        return ""
    return f"; write {_written(other)}"


def _missing_in_calls(value: Any, annotation: Any) -> set[str]:
    """The parameters that neither the code, which calls a reference `@name` later, nor a binding gives."""
    if not isinstance(value, Reference) or value.called:
        return set()
    return missing_in_call(value.target, annotation) - _given(value)


def _references(value: Any) -> list[Reference]:
    """The called references in a value, also inside lists."""
    if isinstance(value, Reference):
        return [value] if value.called else []
    return [found for item in value for found in _references(item)] if isinstance(value, list | tuple) else []


def _given(reference: Reference) -> set[str]:
    """The parameters bound for the target of a reference, in any scope."""
    bound = gin.config._CONFIG.items()
    return {name for (_, selector), values in bound if selector == reference.selector for name in values}


def _written(value: Any) -> str:
    """A value as written in a gin file."""
    if isinstance(value, Reference):
        return f"@{value.selector.split('.')[-1]}{'()' if value.called else ''}"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_written, value))})"
    text = repr(value)
    return text if len(text) < 80 else f"{text[:70]}...{text[-5:]}"
