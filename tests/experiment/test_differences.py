"""Differences of stored configurations with scopes."""

import gin
import pytest

from alfa_md.experiment.differences import differences
from alfa_md.experiment.stored_config import HEADER, UNUSED


@gin.configurable
class Painted:
    """A configurable with a default."""

    def __init__(self, width=3, limit=float("inf")):
        self.width, self.limit = width, limit


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("a/b/P.x = 1", "P.x = 1", []),
        ("P.x = 1", "a/P.x = 1\nb/P.x = 1", []),  # both of its calls
        ("P.x = 1", "a/P.x = 1\nb/P.x = 2", ["b/P.x: 1 -> 2"]),
        ("P.x = 1\na/P.x = 2", "P.x = 1", ["a/P.x: 2 -> 1"]),
        ("a/Painted.width = 3", "Painted.width = 3", []),
        ("b/Painted.width = 4", "", ["b/Painted.width: 4 -> unset"]),
        ("", "a/Painted.width = 3", []),
        ("", "Painted.limit = 1e999", []),
        ("X = 1", "a/X = 1", ["X: 1 -> unset", "a/X: unset -> 1"]),  # two macros
    ],
)
def test_scopes_with_equal_values_in_force_do_not_differ(old, new, found):
    assert differences(old, new) == found


def test_what_a_run_did_not_use_is_not_compared():
    first, second = (f"{HEADER}P.x = 1\n\n{UNUSED}\nQ.y = {value}\n" for value in (1, 2))
    assert differences(first, second) == differences(first, "P.x = 1\n") == []
    assert differences(first, second.replace("P.x = 1", "P.x = 3")) == ["P.x: 1 -> 3"]


def test_a_run_of_an_older_version_and_one_of_today_are_the_same():
    old = "# Parameters for P:\n# ===\nBACKBONE/P.x = 4\ntrain/Painted.width = 3\nPainted.width = 3\n"
    assert differences(old, f"{HEADER}P.x = 4\nPainted.width = 3\n") == []
