"""The parts below gin/parts that supply what a configuration lacks, named in error lines."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # gin files are relative to the working directory or to here ('gin/...')
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
    parts = ((path, path.read_text(encoding="utf-8")) for path in sorted((ROOT / "gin" / "parts").glob("*.gin")))
    found = [(not text.startswith("# After"), path) for path, text in parts if re.search(pattern, text, re.MULTILINE)]
    return f"; add {_flag(min(found)[1])}" if found else ""


def _flag(part: Path) -> str:
    return f"--gin_bindings=\"include '{part.relative_to(ROOT).as_posix()}'\" before it"
