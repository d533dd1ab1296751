"""Bad values for the flags of every command: refused in one line, or a run that makes sense.

A sample with a fixed seed; `python -m tests.fuzz.commands` tries all of them.
"""

import random

import pytest

from tests.fuzz.commands import WORDS, attempts, run_in, workplace

SEED = 18
TRIED = 6  # of a command


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with workplace(tmp_path_factory.mktemp("commands")) as place:
        assert (place / "run" / "run.json").is_file()
        yield place


@pytest.mark.slow
@pytest.mark.parametrize("entry", WORDS)
def test_bad_values_of_flags(folder, entry):
    for words in random.Random(SEED).sample(attempts(entry), TRIED):
        ended = run_in(folder, entry, words)
        assert ended.kind in ("refused", "ran"), (words, ended)
