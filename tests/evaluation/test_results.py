"""Evaluation: reproducible scores, and results files that are reused but never overwritten."""

import json
import shutil
from contextlib import nullcontext
from functools import partial

import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.evaluation.results import Results
from alfa_md.evaluation.scores import PORTION
from alfa_md.learners.base import Learner
from alfa_md.metrics import mean_ci
from alfa_md.rules.sgd import sgd
from alfa_md.system.interruption import Interruption
from tests.episodes import small_learner
from tests.noise import CPU, NoiseSource, accuracies, noise_learner

STAMP = {"checkpoint": "0123456789abcdef", "seed": 0, "split": "test", "sampling": {"num_ways": None}}
STAMP |= {"unit": "accuracy"}


class Counting(Learner):
    """Predicts only the first query image correctly, and counts episodes."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def forward(self, episode):
        self.shown.append((episode.source, episode.index, self.training, torch.is_grad_enabled()))
        scores = torch.zeros(len(episode.query_y), episode.way)
        scores[:, 1] = 1.0  # class 1 has two of six query images
        scores[0, episode.query_y[0]] = 2.0
        return scores


def content(results: Results) -> dict:
    return json.loads(results.path.read_text())


def test_accuracies_are_the_share_of_right_answers_without_training():
    learner = Counting().train()
    assert accuracies(learner, NoiseSource(), 4, CPU) == [pytest.approx(3 / 6)] * 4
    assert learner.shown == [("noise", index, False, False) for index in range(4)]


def test_accuracies_are_the_same_every_time():
    learner = noise_learner()
    first = accuracies(learner, NoiseSource(), 5, CPU)
    torch.manual_seed(99)
    assert accuracies(noise_learner(), NoiseSource(), 5, CPU) == first
    assert accuracies(learner, NoiseSource(), 8, CPU)[:5] == first
    assert accuracies(learner, NoiseSource(seed=1), 5, CPU) != first


def test_extra_evaluation_steps_are_taken():
    fast = partial(noise_learner, rule=partial(sgd, inner_rate=1.0), num_steps=1)
    extended, longer, short = fast(additional_evaluation_steps=4), fast(), fast()
    longer.num_steps = 5
    taken, update = [], extended.rule.update
    extended.rule.update = lambda *given: taken.append(given[-1]) or update(*given)
    expected = accuracies(longer, NoiseSource(), 6, CPU)
    assert accuracies(extended, NoiseSource(), 6, CPU) == expected != accuracies(short, NoiseSource(), 6, CPU)
    assert taken == [0, 1, 2, 3, 4] * 6


def test_every_source_is_written_as_soon_as_it_is_measured(tmp_path):
    learner, results = Counting(), Results(tmp_path / "test.json", STAMP)
    results.measure(learner, NoiseSource("omniglot"), 3, CPU)
    assert list(content(results)["sources"]) == ["omniglot"]
    results.measure(learner, NoiseSource("dtd"), 2, CPU)
    assert list(content(results)["sources"]) == ["omniglot", "dtd"] and content(results)["protocol"] == STAMP
    record = content(results)["sources"]["omniglot"]
    assert record["scores"] == [pytest.approx(0.5)] * 3 and record["data"] == NoiseSource("omniglot").stamp()
    assert (record["mean"], record["ci95"], record["episodes"]) == mean_ci(record["scores"])[:3]


def test_a_source_that_fails_loses_nothing_of_the_others(tmp_path):
    def broken(index, episode):
        raise RuntimeError("a broken disk")

    learner, results = Counting(), Results(tmp_path / "test.json", STAMP)
    results.measure(learner, NoiseSource("omniglot"), 3, CPU)
    before = results.path.read_bytes()
    with pytest.raises(RuntimeError, match="a broken disk"):
        results.measure(learner, NoiseSource("dtd", change=broken), 3, CPU)
    assert results.path.read_bytes() == before


def test_finished_sources_are_skipped_in_a_second_call(tmp_path):
    Results(tmp_path / "test.json", STAMP).measure(Counting(), NoiseSource("omniglot"), 3, CPU)
    before = (tmp_path / "test.json").read_bytes()
    learner, again = Counting(), Results(tmp_path / "test.json", STAMP)
    again.measure(learner, NoiseSource("omniglot"), 3, CPU)
    assert learner.shown == [] and (tmp_path / "test.json").read_bytes() == before
    again.measure(learner, NoiseSource("dtd"), 2, CPU)
    assert {source for source, *_ in learner.shown} == {"dtd"}
    assert list(content(again)["sources"]) == ["omniglot", "dtd"]


def test_more_episodes_continue_where_the_last_ended_and_fewer_change_nothing(tmp_path):
    learner, results = Counting(), Results(tmp_path / "test.json", STAMP)
    results.measure(learner, NoiseSource("omniglot"), 3, CPU)
    results.measure(learner, NoiseSource("omniglot"), 5, CPU)
    whole = content(results)["sources"]["omniglot"]
    assert len(learner.shown) == 5 and whole["episodes"] == 5
    assert whole["scores"] == accuracies(Counting(), NoiseSource("omniglot"), 5, CPU)
    results.measure(learner, NoiseSource("omniglot"), 2, CPU)
    assert len(learner.shown) == 5 and content(results)["sources"]["omniglot"] == whole


def test_other_data_is_measured_anew(tmp_path):
    learner, results = Counting(), Results(tmp_path / "test.json", STAMP)
    results.measure(learner, NoiseSource("omniglot"), 3, CPU)
    other = NoiseSource("omniglot")
    other.stamp = lambda: {"spec": "another", "image_size": 12}
    results.measure(learner, other, 3, CPU)
    assert len(learner.shown) == 3 + 3 and content(results)["sources"]["omniglot"]["data"]["spec"] == "another"


def test_results_of_other_conditions_are_set_aside_and_never_written_over(tmp_path, capsys):
    path, kept = tmp_path / "test.json", []
    for number in range(3):
        stamp = STAMP | {"checkpoint": f"checkpoint {number}"}
        results = Results(path, stamp)
        assert results.sources == {} and (not kept or path.read_bytes() == kept[-1])  # opening alone moves nothing
        for name in ("omniglot", "dtd"):
            results.measure(Counting(), NoiseSource(name), 2 + number, CPU)
        kept.append(path.read_bytes())
    assert (tmp_path / "test.1.json").read_bytes() == kept[0]
    assert (tmp_path / "test.2.json").read_bytes() == kept[1]
    assert path.read_bytes() == kept[2] and len(list(tmp_path.glob("*.json"))) == 3
    said = capsys.readouterr().out
    assert said.count("measured under other conditions") == 2 and "it is kept as test.2.json" in said


def test_a_damaged_results_file_is_named_and_kept(tmp_path):
    (tmp_path / "test.json").write_text('{"protocol": ')
    with pytest.raises(UserError, match="test.json is not a results file of this package .*; restore it, or move"):
        Results(tmp_path / "test.json", STAMP)
    assert (tmp_path / "test.json").read_text() == '{"protocol": '


def test_a_write_that_fails_leaves_the_results_there_are(tmp_path, monkeypatch):
    results = Results(tmp_path / "test.json", STAMP)
    results.measure(Counting(), NoiseSource("omniglot"), 2, CPU)
    before = results.path.read_bytes()
    monkeypatch.setattr("os.replace", lambda source, target: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        results.measure(Counting(), NoiseSource("dtd"), 2, CPU)
    assert results.path.read_bytes() == before


def test_evaluation_shows_which_source_it_is_at(tmp_path, capsys):
    Results(tmp_path / "test.json", STAMP).measure(Counting(), NoiseSource("omniglot"), 2, CPU)
    assert "test omniglot 2/2" in capsys.readouterr().out


def test_evaluation_keeps_no_graph(monkeypatch):
    seen = []
    learner = small_learner().float()
    classify = learner.classify
    monkeypatch.setattr(learner, "classify", lambda *arguments: seen.append(classify(*arguments)) or seen[-1])
    accuracies(learner, NoiseSource(), 2, CPU)
    assert len(seen) == 2 and not any(scores.requires_grad for scores in seen)


class StopRequested(Interruption):
    """A stop is requested before the first exchange of scores."""

    requested = True


@pytest.mark.parametrize("killed", [True, False])
def test_an_evaluation_that_was_stopped_goes_on_where_it_was(tmp_path, killed):
    """Stopped by a signal, or killed within the second portion."""

    def change(index, episode):
        if killed and index == PORTION + 5:
            raise RuntimeError("power cut")
        return episode

    results, source = Results(tmp_path / "test.json", STAMP), NoiseSource("omniglot", change=change)
    with pytest.raises(RuntimeError, match="power cut") if killed else nullcontext():
        assert not results.measure(noise_learner(), source, 23, CPU, None if killed else StopRequested())
    assert content(results)["sources"]["omniglot"]["episodes"] == PORTION
    again, whole = Results(tmp_path / "test.json", STAMP), Results(tmp_path / "whole.json", STAMP)
    for one in (again, whole):
        assert one.measure(noise_learner(), NoiseSource("omniglot"), 23, CPU, Interruption())
    assert content(again) == content(whole)


def test_two_processes_that_evaluate_different_sources_keep_both(tmp_path):
    """Both read the file before either writes it."""
    a, b = (Results(tmp_path / "test.json", STAMP) for _ in range(2))
    a.measure(Counting(), NoiseSource("omniglot"), 2, CPU)
    b.measure(Counting(), NoiseSource("dtd"), 2, CPU)
    assert set(content(b)["sources"]) == {"omniglot", "dtd"}


def test_two_processes_under_different_conditions_keep_both(tmp_path):
    a, b = (Results(tmp_path / "test.json", STAMP | {"seed": seed}) for seed in (7, 8))
    a.measure(Counting(), NoiseSource("omniglot"), 2, CPU)
    b.measure(Counting(), NoiseSource("omniglot"), 2, CPU)
    kept = [json.loads((tmp_path / name).read_text())["protocol"]["seed"] for name in ("test.json", "test.1.json")]
    assert kept == [8, 7]


def stored_episodes(results: Results) -> int:
    return content(results)["sources"]["omniglot"]["episodes"]


def test_a_slow_evaluation_replaces_none_of_more_episodes(tmp_path):
    """The slow one is within its second portion when another is done with more; it ends there, with all scores."""
    path, fast = tmp_path / "test.json", Results(tmp_path / "test.json", STAMP)

    def meanwhile(index, episode):
        if index == PORTION + 3:
            fast.measure(noise_learner(), NoiseSource("omniglot"), 5 * PORTION, CPU)
        return episode

    slow = Results(path, STAMP)
    assert slow.measure(noise_learner(), NoiseSource("omniglot", change=meanwhile), 4 * PORTION, CPU)
    expected = accuracies(noise_learner(), NoiseSource("omniglot"), 5 * PORTION)
    assert content(fast)["sources"]["omniglot"]["scores"] == expected
    assert slow.sources == fast.sources == content(slow)["sources"]


def test_a_slow_evaluation_of_more_episodes_goes_on_to_its_end(tmp_path):
    fast, slow = (Results(tmp_path / "test.json", STAMP) for _ in range(2))

    def meanwhile(index, episode):
        if index == 3:
            fast.measure(noise_learner(), NoiseSource("omniglot"), 2 * PORTION + 5, CPU)
        return episode

    assert slow.measure(noise_learner(), NoiseSource("omniglot", change=meanwhile), 4 * PORTION, CPU)
    assert stored_episodes(slow) == 4 * PORTION
    assert content(slow)["sources"]["omniglot"]["scores"] == accuracies(noise_learner(), NoiseSource("omniglot"), 40)


def test_evaluations_in_turns_under_two_conditions_keep_two_files(tmp_path):
    """Every write finds the file of the other; an earlier state of the same results is replaced, nothing else."""
    both = [Results(tmp_path / "test.json", STAMP | {"seed": seed}) for seed in (0, 1)]
    for number in range(1, 5):
        for results in both:
            results.measure(Counting(), NoiseSource("omniglot"), number, CPU)
    names = sorted(path.name for path in tmp_path.glob("*.json"))
    assert names == ["test.1.json", "test.2.json", "test.json"]
    kept = [json.loads((tmp_path / name).read_text()) for name in names]
    episodes = {each["protocol"]["seed"]: 0 for each in kept}
    for each in kept:
        seed = each["protocol"]["seed"]
        episodes[seed] = max(episodes[seed], each["sources"]["omniglot"]["episodes"])
    assert episodes == {0: 4, 1: 4}


def test_results_of_other_data_are_kept_aside(tmp_path, capsys):
    results, other = Results(tmp_path / "test.json", STAMP), NoiseSource("omniglot")
    for name in ("omniglot", "dtd"):
        results.measure(Counting(), NoiseSource(name), 6, CPU)
    before = results.path.read_bytes()
    other.stamp = lambda: {"spec": "another", "image_size": 12}
    results.measure(Counting(), other, 2, CPU)
    assert (tmp_path / "test.1.json").read_bytes() == before and stored_episodes(results) == 2
    assert content(results)["sources"]["dtd"] == json.loads(before)["sources"]["dtd"]
    assert "test.json has omniglot of other data; it is kept as test.1.json" in capsys.readouterr().out


def test_a_folder_of_results_that_is_deleted_meanwhile_is_made_anew(tmp_path):
    results = Results(tmp_path / "results" / "test.json", STAMP)

    def deleted(index, episode):
        if index == PORTION + 2:
            shutil.rmtree(tmp_path / "results")
        return episode

    assert results.measure(Counting(), NoiseSource("omniglot", change=deleted), 3 * PORTION, CPU)
    assert stored_episodes(results) == 3 * PORTION
