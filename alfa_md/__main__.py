"""The console command: `alfa-md NAME ...` is `python -m alfa_md.NAME ...`, and `alfa-md` lists the names."""

import ast
import difflib
import os
import runpy
import sys
from pathlib import Path

from alfa_md import __version__
from alfa_md.system.console import CONSOLE, ERRORS
from alfa_md.system.startup import BAD_INPUT

COMMANDS = ("train", "evaluate", "predict", "compare", "report", "plot", "convert", "check", "episodes", "export")
HELP = ("-h", "-?", "--help", "--helpshort", "--helpfull")


def main() -> None:
    """Runs the command that the first word names, with the other words, and exits with its code."""
    name, *rest = sys.argv[1:] or HELP[:1]
    if name in HELP:
        print_commands()
    elif name == "--version":
        CONSOLE.print(f"alfa_md {__version__}")
    elif name not in COMMANDS:
        sys.exit(refuse(name))
    else:
        run_command(name, rest)


def run_command(name: str, words: list[str]) -> None:
    """Runs the module of a command as `python -m` does, with the working directory on the import path."""
    if not getattr(sys.flags, "safe_path", False) and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # for modules that gin files import
    sys.argv[1:] = words
    runpy.run_module(f"alfa_md.{name}", run_name="__main__", alter_sys=True)


def print_commands() -> None:
    """Prints the names, with a line about each."""
    usage = "usage: alfa-md COMMAND [FLAGS], the same as python -m alfa_md.COMMAND [FLAGS]\n"
    rows = (f"  {name:<8}  {summary(name)}" for name in COMMANDS)
    CONSOLE.print(usage, *rows, "\nalfa-md COMMAND --help explains the flags of a command.", sep="\n")


def summary(name: str) -> str:
    """The first line of a command's docstring up to its colon, read without importing the command."""
    source = Path(__file__).with_name(f"{name}.py").read_text("utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").splitlines()[0].split(":")[0].rstrip(".")


def refuse(name: str) -> int:
    """Prints one line about an unknown command, with the nearest names; returns the exit code."""
    close = difflib.get_close_matches(name, COMMANDS)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(COMMANDS)}"
    ERRORS.print(f"error: alfa-md has no command {name!r}; {hint}")
    return BAD_INPUT


if __name__ == "__main__":
    main()
