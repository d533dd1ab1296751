"""The fingerprint of episodes in results: the same for the same episodes, and a mismatch is noticed."""

import json

import pytest

from alfa_md.data.sinusoid import Points, Sinusoids
from alfa_md.errors import UserError
from alfa_md.evaluation.comparison import compare_results
from alfa_md.evaluation.episodes_fingerprint import episodes_fingerprint
from alfa_md.evaluation.results import Results
from tests.evaluation.test_results import STAMP, Counting, content
from tests.noise import CPU, NoiseSource


class Drawn(NoiseSource):
    """Episodes whose fingerprints are told; `drawn` counts how often."""

    def __init__(self, version: int = 1):
        super().__init__("omniglot")
        self.version, self.drawn = version, 0

    def fingerprint(self, index: int) -> str:
        self.drawn += 1
        return f"{self.version}-{index}"


def test_a_known_value():
    """The same on every platform: curves and points are drawn in float64."""
    source = Sinusoids("sine", "test", Points(10, 10), 0)
    assert episodes_fingerprint(source, 600) == "ecdd851d68768c2a"
    assert episodes_fingerprint(Sinusoids("sine", "test", Points(5, 10), 0), 600) != "ecdd851d68768c2a"


def test_every_episode_and_their_order_count_and_each_is_drawn_once():
    source = Drawn()
    found = [episodes_fingerprint(source, number) for number in (1, 5, 3, 5, 4)]
    assert len(set(found)) == 4 and found[1] == found[3] and source.drawn == 5
    assert episodes_fingerprint(Drawn(), 5) == found[1] != episodes_fingerprint(Drawn(2), 5)


def test_a_source_that_cannot_tell_has_none(tmp_path):
    results = Results(tmp_path / "test.json", STAMP)
    results.measure(Counting(), NoiseSource(), 2, CPU)
    assert "fingerprint" not in content(results)["sources"]["noise"]


def test_results_have_it_and_are_extended_under_it(tmp_path):
    for number in (2, 12):
        source, learner = Drawn(), Counting()
        Results(tmp_path / "test.json", STAMP).measure(learner, source, number, CPU)
        record = json.loads((tmp_path / "test.json").read_text())["sources"]["omniglot"]
        assert record["episodes"] == number and record["fingerprint"] == episodes_fingerprint(Drawn(), number)
    assert len(learner.shown) == 10 and source.drawn == 12


def test_scores_of_other_episodes_are_kept_aside_and_measured_anew(tmp_path, capsys):
    learner = Counting()
    for version in (1, 2):
        Results(tmp_path / "test.json", STAMP).measure(learner, Drawn(version), 3, CPU)
    assert len(learner.shown) == 6 and (tmp_path / "test.1.json").exists()
    assert "test.json has omniglot of other episodes; it is kept as test.1.json" in capsys.readouterr().out


def test_different_episodes_are_not_compared(tmp_path):
    for version in (1, 2):
        Results(tmp_path / f"{version}.json", STAMP).measure(Counting(), Drawn(version), 3, CPU)
    paths = [str(tmp_path / f"{version}.json") for version in (1, 2)]
    with pytest.raises(UserError, match="not the same episodes: omniglot has the fingerprint .{16} in A and"):
        compare_results(*paths, "test")
    older = json.loads((tmp_path / "2.json").read_text())
    del older["sources"]["omniglot"]["fingerprint"]
    (tmp_path / "2.json").write_text(json.dumps(older))
    assert compare_results(*paths, "test")[0].verdict == "tie"


@pytest.mark.parametrize("wrong", ["0123", "X" * 16, None, 7])
def test_a_damaged_one_is_refused(tmp_path, wrong):
    results = Results(tmp_path / "test.json", STAMP)
    results.measure(Counting(), Drawn(), 2, CPU)
    damaged = content(results)
    damaged["sources"]["omniglot"]["fingerprint"] = wrong
    results.path.write_text(json.dumps(damaged))
    with pytest.raises(UserError, match="omniglot: its fingerprint of episodes is none"):
        Results(results.path, STAMP)
