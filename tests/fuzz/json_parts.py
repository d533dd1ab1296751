"""Mutations of nested values by structure: a part anywhere in it is replaced, removed, doubled, moved or renamed."""

import copy
import random
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

ODD = (None, True, False, 0, -1, 2, 0.5, -0.0, 1e308, 10**400, float("nan"), float("inf"), "", "0.5", "nan", "\ud800")
ODD += ("\x1b[31m", "a" * 300, [], [[]], [0.5], {}, {"a": 1}, [None, [0.5]], "=1+1")


def restructured(valid: Any, odd: Sequence = ODD) -> st.SearchStrategy:
    """Copies of a JSON value, or of one with other leaves, with one to three parts changed; `odd` replace some."""
    return st.builds(lambda seed: _changed(valid, seed, odd), st.integers(0, 2**64 - 1))


def _changed(valid: Any, seed: int, odd: Sequence) -> Any:
    rng, value = random.Random(seed), {"": copy.deepcopy(valid)}
    for _ in range(rng.randint(1, 3)):
        holder, key = rng.choice(list(_places(value)))
        if holder is value:  # all of it; rarely, since little is learnt from it
            holder, key = rng.choice(list(_places(value)))
        rng.choice((_replace, _replace, _replace, _remove, _double, _move, _rename))(rng, value, holder, key, odd)
    return value[""]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yields every container with every of its keys or indices."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _replace(rng: random.Random, whole: Any, holder: Any, key: Any, odd: Sequence) -> None:
    holder[key] = copy.deepcopy(rng.choice(odd))


def _remove(rng: random.Random, whole: Any, holder: Any, key: Any, odd: Sequence) -> None:
    if holder is not whole:
        del holder[key]


def _double(rng: random.Random, whole: Any, holder: Any, key: Any, odd: Sequence) -> None:
    holder[key] = [holder[key], copy.deepcopy(holder[key])]


def _move(rng: random.Random, whole: Any, holder: Any, key: Any, odd: Sequence) -> None:
    """Puts a copy of another part here."""
    other, place = rng.choice(list(_places(whole)))
    holder[key] = copy.deepcopy(other[place])


def _rename(rng: random.Random, whole: Any, holder: Any, key: Any, odd: Sequence) -> None:
    if isinstance(holder, dict) and holder is not whole:
        holder[rng.choice([each for each in ODD if isinstance(each, str)])] = holder.pop(key)
