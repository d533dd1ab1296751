"""The parts below gin/parts that supply what a configuration lacks, named in error lines."""

import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
# Gin files are relative to the working directory or to here ('gin/...'): inside an installed package, beside a clone's.
ROOT = PACKAGE if (PACKAGE / "gin").is_dir() else PACKAGE.parent
REQUIRED = re.compile(r"Required bindings for `(?:[\w.]+\.)?(\w+)` not provided in config: \['(\w+)'")


def missing_binding(message: str) -> str:
    """gin's message for arguments that are not bound, in one line with the part that binds them."""
    line = message.splitlines()[0]
    found = REQUIRED.search(line)
    return line + (_advice(rf"^(?:\w+/)*{found[1]}\.{found[2]}\s*=") if found else "")


def part_that_imports(configurable: str) -> str:
    """The end of a message about an unknown configurable: the part that uses it, "" if there is none."""
    return _advice(rf"@{re.escape(configurable)}\b")


def _advice(pattern: str) -> str:
    """The part after another file, which changes nothing that it does not name, with a line of this pattern."""
    for path in sorted((ROOT / "gin" / "parts").glob("*.gin")):
        text = path.read_text(encoding="utf-8")
        if text.startswith("# After another file") and re.search(pattern, text, re.MULTILINE):
            return f"; add --gin_bindings=\"include '{path.relative_to(ROOT).as_posix()}'\" before it"
    return ""
