"""The only reader of gin files and bindings, and the writer of the operative configuration."""

import difflib
import hashlib
import importlib.util  # noqa: F401  gin 0.5 uses it without importing it
import inspect
import logging
import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any, NamedTuple

import gin
from gin.config import ConfigurableReference

from alfa_md.errors import UserError
from alfa_md.experiment import renamed
from alfa_md.experiment.annotations import Reference, fits, needed, words

ROOT = Path(__file__).resolve().parents[2]  # gin files are named from here ('gin/...'), whatever the working directory
gin.add_config_file_search_path(str(ROOT))
gin.config._FILE_READERS[0] = (renamed.opened, os.path.isfile)  # in place of `open`; others come after it


def parse(files: Sequence[str], bindings: Sequence[str] = ()) -> None:
    """Makes `files`, in order, and then `bindings` the configuration of this process.

    Raises UserError for a file that does not exist, an unknown configurable, parameter or macro (with the nearest
    names), a value that is not of its parameter's type, and anything else that gin cannot read.
    """
    paths = [_find(file) for file in files]
    gin.clear_config()
    logging.disable(logging.ERROR)  # gin reports every place where it looked for an include
    try:
        gin.parse_config_files_and_bindings(list(files), list(map(renamed.updated, bindings)))
    except (ValueError, SyntaxError, TokenError, ImportError, OSError, AttributeError, TypeError) as error:
        raise UserError(_explain(error, bindings)) from error
    finally:
        logging.disable(logging.NOTSET)
    _refuse_unused_macros(paths)
    for binding in _bound():
        _refuse_wrong_type(binding)


def operative() -> str:
    """The configuration that the objects built so far have used; loads again as it is."""
    return gin.operative_config_str(max_line_length=120)


def fingerprint(text: str) -> str:
    """A short name for a configuration: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(old: str, new: str, but: Collection[str] = ()) -> list[str]:
    """The bindings, `but` for some, in which two operative configurations differ, as `name: old -> new`.

    A parameter that only one of them has, such as one that is newer than a run, differs where it is not at its default.
    """
    a, b = _bindings(renamed.updated(old)), _bindings(new)
    return [
        f"{key}: {a.get(key, 'unset')} -> {b.get(key, 'unset')}"
        for key in sorted((a.keys() | b.keys()) - set(but))
        if (a.get(key) or _default(key)) != (b.get(key) or _default(key))
    ]


def _find(file: str) -> Path:
    for path in (Path(file), ROOT / file):
        if path.is_file():
            return path
    known = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "gin").glob("*.gin"))
    raise UserError(f"gin file not found: {file}{_nearest(file, known) or '; there are: ' + ', '.join(known)}")


def _explain(error: Exception, bindings: Sequence[str]) -> str:
    """gin's message in one line: what is wrong, where, and the nearest names that exist."""
    text = str(error)
    macro = re.search(r"No bindings specified for '(\w+)/gin.macro'", text)
    if macro:  # the message goes on with the whole configuration
        return f"gin: the macro {macro[1]} has no value{_nearest(macro[1], sorted(_macros(text)))}"
    if isinstance(error, SyntaxError):  # of a file, or else of the bindings
        line = error.text if error.filename else "\n".join(bindings).splitlines()[error.lineno - 1]
        return f"gin: {text.splitlines()[-1].strip()}: {(line or '').strip()}"
    if isinstance(error, TokenError):
        return "gin: a bracket or a string is not closed at the end of a file or of the bindings"
    lines = [line.strip() for line in text.splitlines() if line.strip(" ^")]
    text = lines[0] + (f" ({': '.join(lines[1:3])})" if len(lines) > 1 else "")
    parameter = re.search(r"Configurable '(\S+)' doesn't have a parameter named '(\w+)'", text)
    if parameter:
        successor = renamed.successor(f"{parameter[1].split('.')[-1]}.{parameter[2]}")
        hint = f"; it is {successor} now" if successor else _nearest(parameter[2], _parameters(parameter[1]))
        return f"gin: {text}{hint}"
    name = re.search(r"No configurable matching (?:reference )?'@?([\w./]+)", text)
    return f"gin: {text}" + (_nearest(name[1].split(".")[-1], _configurables()) if name else "")


def _configurables() -> list[str]:
    return sorted({selector.split(".")[-1] for selector, _ in gin.config._REGISTRY.items()})


def _parameters(configurable: str) -> list[str]:
    return list(inspect.signature(gin.get_configurable(configurable)).parameters)


def _nearest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _macros(text: str) -> set[str]:
    """The macros that a configuration defines."""
    return set(re.findall(r"^(\w+)\s*=", text, re.MULTILINE))


def _refuse_unused_macros(files: Sequence[Path]) -> None:
    """A misspelt macro would otherwise be a new one that nothing reads; one that a binding put out of use may stay."""
    text = gin.config_str()
    texts = [text, *(file.read_text() for file in (*files, *(ROOT / "gin").rglob("*.gin")))]
    used = set(re.findall(r"%(\w+)", "\n".join(texts)))
    for name in sorted(_macros(text) - used):
        raise UserError(f"gin: nothing uses the macro {name}{_nearest(name, sorted(used))}")


class Binding(NamedTuple):
    """One binding of the configuration: `name` as in `train/Sampling.num_ways`, and the value without macros."""

    name: str
    parameter: inspect.Parameter
    value: Any
    macro: str  # that the value came by, "" if none

    def __str__(self) -> str:
        value = _written(self.value)
        return f"{self.macro} = {value}, bound to {self.name}," if self.macro else f"{self.name} = {value}"


def _bound() -> Iterator[Binding]:
    for (scope, selector), values in gin.config._CONFIG.items():
        if selector.startswith("gin."):  # macros are read where they are used
            continue
        parameters = inspect.signature(gin.get_configurable(selector), eval_str=True).parameters
        prefix = f"{scope}/" if scope else ""
        for name, bound in values.items():
            if name not in parameters:  # it goes into a **dictionary
                continue
            value, macro = _resolved(bound)
            yield Binding(f"{prefix}{selector.split('.')[-1]}.{name}", parameters[name], value, macro)


def _resolved(value: Any) -> tuple[Any, str]:
    """A value with references as `Reference`, and the last macro on the way to it. Raises UserError for a circle."""
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
    if not fits(value, annotation):
        raise UserError(f"gin: {binding} must be {words(annotation)}")
    for reference in _references(value):
        if missing := needed(reference.target) - _given(reference):
            names = ", ".join(sorted(missing))
            raise UserError(f"gin: {binding} calls {_written(reference)} without {names}; leave () out")


def _references(value: Any) -> list[Reference]:
    """Those called, within lists too."""
    if isinstance(value, Reference):
        return [value] if value.called else []
    return [found for item in value for found in _references(item)] if isinstance(value, list | tuple) else []


def _given(reference: Reference) -> set[str]:
    """The parameters that are bound for the target of a reference, in whatever scope."""
    bound = gin.config._CONFIG.items()
    return {name for (_, selector), values in bound if selector == reference.selector for name in values}


def _written(value: Any) -> str:
    """As in a gin file."""
    if isinstance(value, Reference):
        return f"@{value.selector.split('.')[-1]}{'()' if value.called else ''}"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_written, value))})"
    return repr(value)


def _default(binding: str) -> str | None:
    """The default of a parameter, as gin writes it; None for a macro, or where there is none."""
    configurable, _, parameter = binding.split("/")[-1].rpartition(".")
    if not configurable or configurable.split(".")[-1] not in _configurables():
        return None
    parameters = inspect.signature(gin.get_configurable(configurable)).parameters
    default = parameters[parameter].default if parameter in parameters else None
    return f"@{default.__name__}" if callable(default) and hasattr(default, "__name__") else repr(default)


def _bindings(text: str) -> dict[str, str]:
    joined = re.sub(r"\\?\n[ \t]+", " ", text)
    pairs = (line.split("=", 1) for line in joined.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}
