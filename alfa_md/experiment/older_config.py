"""Configurations of older runs: gin's operative text, with every parameter under the full scope of its call."""

import re
from collections import defaultdict
from collections.abc import Iterator

GIN_WROTE = re.compile(r"^# Parameters for .*:\n# =+$", re.MULTILINE)
# A scoped or unscoped binding: scope, name, value with continuation lines.
BINDING = re.compile(r"^((?:[\w.]+/)*)([\w.]+\.\w+) = (\\\n(?:[ \t]+.*\n?)+|.*\n?)", re.MULTILINE)


def unscoped(text: str) -> str:
    """An operative text with fewer scopes.

    A value that is the same in all scopes is written without scope, and a scoped one that equals that of its outer
    scope is left out, so that an override acts on both. Lines keep their numbers.
    """
    found = defaultdict(dict)
    for scope, name, value in BINDING.findall(text):
        found[name][scope] = " ".join(value.replace("\\\n", " ").split())

    def rewritten(line: re.Match) -> str:
        scope, name, value = line.groups()
        values, blank = found[name], "\n" * line[0].count("\n")
        if len(set(values.values())) == 1:
            return f"{name} = {value}" if scope == next(iter(values)) else blank
        outer = next((values[place] for place in _outer(scope) if place in values), None)
        return blank if values[scope] == outer else line[0]

    return BINDING.sub(rewritten, text)


def _outer(scope: str) -> Iterator[str]:
    """The scopes around `a/b/c/`, innermost first: `a/b/`, `a/`, and none."""
    parts = scope.split("/")[:-1]
    for number in range(len(parts) - 1, -1, -1):
        yield "".join(f"{part}/" for part in parts[:number])
