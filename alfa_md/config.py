"""The only reader of gin files and bindings, and the writer of the operative configuration."""

import difflib
import hashlib
import importlib.util  # noqa: F401  gin 0.5 uses it without importing it
import inspect
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError

import gin

from alfa_md.errors import UserError

ROOT = Path(__file__).resolve().parents[1]  # gin files are named from here ('gin/...'), whatever the working directory
gin.add_config_file_search_path(str(ROOT))


def parse(files: Sequence[str], bindings: Sequence[str] = ()) -> None:
    """Makes `files`, in order, and then `bindings` the configuration of this process.

    Raises UserError for a file that does not exist, an unknown configurable, parameter or macro (with the nearest
    names) and anything else that gin cannot read.
    """
    paths = [_find(file) for file in files]
    gin.clear_config()
    logging.disable(logging.ERROR)  # gin reports every place where it looked for an include
    try:
        gin.parse_config_files_and_bindings(list(files), list(bindings))
    except (ValueError, SyntaxError, TokenError, ImportError, OSError, AttributeError, TypeError) as error:
        raise UserError(_explain(error, bindings)) from error
    finally:
        logging.disable(logging.NOTSET)
    _refuse_unused_macros(paths)


def operative() -> str:
    """The configuration that the objects built so far have used; loads again as it is."""
    return gin.operative_config_str(max_line_length=120)


def fingerprint(text: str) -> str:
    """A short name for a configuration: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(old: str, new: str) -> list[str]:
    """The bindings in which two operative configurations differ, as `name: old -> new`."""
    a, b = _bindings(old), _bindings(new)
    return [
        f"{key}: {a.get(key, 'unset')} -> {b.get(key, 'unset')}"
        for key in sorted(a.keys() | b.keys())
        if a.get(key) != b.get(key)
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
        return f"gin: {text}{_nearest(parameter[2], _parameters(parameter[1]))}"
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


def _bindings(text: str) -> dict[str, str]:
    joined = re.sub(r"\\?\n[ \t]+", " ", text)
    pairs = (line.split("=", 1) for line in joined.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}
