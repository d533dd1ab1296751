"""Scopes of the texts that older versions stored."""

import pytest

from alfa_md.experiment.older_config import unscoped
from alfa_md.experiment.stored_config import HEADER, in_bound_scopes, is_stored
from tests.shared import ROOT

OLD = """\
# Parameters for C:
# ======
a/C.same = 1
b/C.same = 1
C.base = \\
    ('x',
     'y')
a/C.base = ('x', 'y')
b/C.base = ('z',)
a/C.differs = 1
b/C.differs = 2
BACKBONE/mine.Net.width = 4
a/b/C.base = ('z',)
a/b/d/C.base = ('z',)
"""
NEW = """\
# Parameters for C:
# ======
C.same = 1

C.base = \\
    ('x',
     'y')

b/C.base = ('z',)
a/C.differs = 1
b/C.differs = 2
mine.Net.width = 4
a/b/C.base = ('z',)

"""


def test_an_older_text_loses_the_scopes_that_change_nothing():
    assert is_stored(OLD) and in_bound_scopes(OLD) == NEW and OLD.count("\n") == NEW.count("\n")
    assert in_bound_scopes(NEW) == NEW


@pytest.mark.parametrize("text", ["a/C.x = 1\n", HEADER + OLD])
def test_a_file_of_a_user_and_a_text_of_today_stay(text):
    assert in_bound_scopes(text) == text


@pytest.mark.parametrize("name", ["images", "plain", "pretraining", "random", "sine"])
def test_stored_runs_keep_only_scopes_that_differ(name):
    text = unscoped((ROOT / "tests" / "stored_runs" / name / "config.gin").read_text())
    scoped = {line.split(" =")[0] for line in text.splitlines() if "/" in line.split(" =")[0] and line[0] != "#"}
    assert scoped <= {"train/Sampling.max_support_set_size", "train/Sampling.max_ways_upper_bound"}
