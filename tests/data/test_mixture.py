import numpy as np
import pytest
import torch

from alfa_md.data.mixture import Mixture
from alfa_md.data.sampling import stable_rng
from alfa_md.episode import Episode
from alfa_md.errors import UserError


class Numbered:
    """A source whose episodes hold nothing but their names."""

    def __init__(self, name, split="train"):
        self.name, self.split = name, split

    def episode(self, index):
        x, y = torch.zeros(1, 1), torch.zeros(1, dtype=torch.int64)
        return Episode(x, y, x, y, 1, self.name, self.split, seed=0, index=index)


def names(seed, episodes, sources="abcde"):
    mixture = Mixture([Numbered(name) for name in sources], seed)
    return [mixture.episode(index).source for index in range(episodes)]


def test_sources_are_equally_likely():
    counts = np.unique(names(0, 2000), return_counts=True)[1]
    assert len(counts) == 5
    assert ((counts - 400) ** 2 / 400).sum() < 18.5  # 99.9 % quantile of chi-square, 4 degrees of freedom


def test_successive_sources_are_independent():
    drawn = names(1, 2501)
    pairs = np.unique(["".join(pair) for pair in zip(drawn, drawn[1:], strict=False)], return_counts=True)[1]
    assert len(pairs) == 25
    assert ((pairs - 100) ** 2 / 100).sum() < 51.2  # 99.9 % quantile of chi-square, 24 degrees of freedom


def test_the_source_depends_on_seed_and_index_alone():
    mixture = Mixture([Numbered(name) for name in "abcde"], seed=3)
    backwards = [mixture.episode(index).source for index in reversed(range(50))]
    assert backwards[::-1] == names(3, 50)
    assert names(3, 50) != names(4, 50)
    assert names(3, 1) == ["abcde"[stable_rng(3, "mixture", 0).randint(5)]]


def test_the_index_is_that_of_the_source():
    mixture = Mixture([Numbered(name) for name in "ab"], seed=0)
    assert [mixture.episode(index).index for index in (0, 5, 10**9)] == [0, 5, 10**9]


def test_name_and_split():
    mixture = Mixture([Numbered("a", "valid")], seed=0)
    assert (mixture.name, mixture.split) == ("mixture", "valid")
    assert mixture.episode(2).source == "a"


@pytest.mark.parametrize(
    "sources, expected",
    [([], "sources is empty"), ([Numbered("a"), Numbered("b", "test")], "b has split test, but a has split train")],
)
def test_invalid_sources_are_refused(sources, expected):
    with pytest.raises(UserError, match=expected):
        Mixture(sources, seed=0)
