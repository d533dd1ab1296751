"""Grids of hyperparameters, as flags write them: gin bindings with several values each."""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

from alfa_md.errors import UserError

Grid = Mapping[str, tuple[str, ...]]  # parameter or macro, as in a binding -> values as text
Point = Mapping[str, str]  # one value of each
NAME = re.compile(r"[A-Za-z_][\w./]*")
VALUE = r"""(?:[^,()\[\]'"]|\([^()]*\)|\[[^\[\]]*\]|'[^']*'|"[^"]*")+"""  # with commas in brackets and quotes alone
VALUES = re.compile(f"{VALUE}(?:,{VALUE})*")
EXAMPLE = "--grid='FineTuningLearner.rate=0.001,0.01'"
MOST = 1000  # points


def parse_grid(flags: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The grid of flags NAME=VALUE,VALUE. Raises UserError for another form, a name given twice, or too many points."""
    grid: dict[str, tuple[str, ...]] = {}
    for flag in flags:
        name, equals, text = (part.strip() for part in flag.partition("="))
        values = tuple(value.strip() for value in re.findall(VALUE, text))
        if not (equals and NAME.fullmatch(name) and VALUES.fullmatch(text) and all(values)):
            raise UserError(f"--grid={flag}: write a name and its values, as in {EXAMPLE}")
        if name in grid:
            raise UserError(f"--grid: {name} is given twice; give all its values at once, as in {EXAMPLE}")
        grid[name] = tuple(dict.fromkeys(values))
    if (number := prod(map(len, grid.values()))) > MOST:
        raise UserError(f"--grid: {number} points are more than {MOST}; give fewer values")
    return grid


def points(grid: Grid) -> list[Point]:
    """All combinations of values; the values of the last name vary fastest."""
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def bindings(point: Point) -> list[str]:
    """A point as gin bindings."""
    return [f"{name} = {value}" for name, value in point.items()]
