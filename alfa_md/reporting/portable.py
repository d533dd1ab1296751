"""Texts of a run without the folders of the machine that it ran on: of an absolute path, its last part remains."""

import ast
import re
import shlex
from pathlib import PurePath
from typing import Any

QUOTED = r"""(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
LITERALS = re.compile(rf"{QUOTED}(?:\s+{QUOTED})*")  # adjacent ones are one string, as pprint breaks a long one
ABSOLUTE = re.compile(r"~|/|[A-Za-z]:[\\/]")
STAMP = re.compile(r"(.*?)(, update \d+, hash \w+)?", re.DOTALL)  # of initial weights, see `experiment.pretraining`
FOLDERS = ("--run_dir", "--records_root_dir", "--cache_dir")  # flags
ENTRY = re.compile(r"(?:.*/)?alfa_md/(\w+)\.py")


def portable_path(path: str) -> str:
    """The last part of a path, relative or absolute."""
    return PurePath(path.replace("\\", "/")).name or "."


def portable_word(text: str) -> str:
    """The last part of an absolute path, with a stamp of weights after it if there is one; other texts unchanged."""
    if not ABSOLUTE.match(text):
        return text
    path, stamp = STAMP.fullmatch(text).groups("")
    return portable_path(path) + stamp


def portable_bindings(text: str) -> str:
    """A text of gin, in which every string that is an absolute path becomes its last part."""

    def replaced(found: re.Match) -> str:
        try:
            value = ast.literal_eval(f"({found[0]})")
        except (ValueError, SyntaxError):  # an apostrophe in a comment
            return found[0]
        return repr(portable_word(value)) if ABSOLUTE.match(value) else found[0]

    return LITERALS.sub(replaced, text)


def portable_command(text: str) -> str:
    """A command line of this package as `python -m alfa_md.…`, with the last parts of folders alone."""
    try:
        program, *words = shlex.split(text)
    except ValueError:  # not one of ours, or none
        return ""
    entry = ENTRY.fullmatch(program)
    begin = ["python", "-m", f"alfa_md.{entry[1]}"] if entry else [portable_path(program)]
    return shlex.join([*begin, *map(_portable_flag, words)])


def portable_content(value: Any) -> Any:
    """The content of a JSON file, with `portable_word` of every string in it."""
    if isinstance(value, dict):
        return {key: portable_content(each) for key, each in value.items()}
    if isinstance(value, list):
        return [portable_content(each) for each in value]
    return portable_word(value) if isinstance(value, str) else value


def _portable_flag(word: str) -> str:
    flag, equals, value = word.partition("=")
    if not equals:
        return portable_word(word)
    if flag in FOLDERS:
        return f"{flag}={portable_path(value)}"
    return f"{flag}={portable_word(value) if ABSOLUTE.match(value) else portable_bindings(value)}"
