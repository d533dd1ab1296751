"""`python -m alfa_md.evaluate`: table, files, stamps, missing sources and splits, reuse of scores."""

import csv
import json
import os
import re
import shutil
import signal
from pathlib import Path

import pytest
import torch

from alfa_md.data import roots
from alfa_md.data.tfrecord.installed_decoder import installed_decoder
from alfa_md.evaluation import results, scores
from alfa_md.experiment import config
from alfa_md.experiment.definition import META_DATASET
from alfa_md.metrics import mean_ci
from tests.entries.harness import SOURCES, bindings, copied, needs_tensorflow, run_entry, with_defaults
from tests.runs import file_hash

pytestmark = needs_tensorflow
NAME = "proto_maml_alfa+quickstart"
ABSENT = set(META_DATASET) - set(SOURCES)
EPISODES = "--num_episodes=2"
BEST = "checkpoints/best.pt"


@pytest.fixture
def run(trained, tmp_path) -> Path:
    return copied(trained, tmp_path / "run")


def evaluate(run: Path, *flags: str):
    return run_entry("evaluate", *with_defaults(["--run_dir=run", EPISODES], flags), cwd=run.parent)


def stored(run: Path, stem: str = "test") -> dict:
    return json.loads((run / "results" / f"{stem}.json").read_text())


def test_missing_sources_are_named_the_rest_go_on_and_the_exit_code_is_3(run):
    outcome = evaluate(run)
    assert outcome.code == 3 and outcome.err == ""
    missing = re.findall(r"^(\w+): missing \(.*/\1/dataset_spec.json: not found; .*\)$", outcome.out, re.MULTILINE)
    assert set(missing) == ABSENT
    assert list(stored(run)["sources"]) == ["ilsvrc_2012", "omniglot", "traffic_sign"]
    for name in SOURCES:
        assert re.search(rf"{name} +│ +\d+\.\d\d±\d+\.\d\d", outcome.out)


def test_a_source_that_is_half_converted_counts_as_missing(run, root, tmp_path):
    half = tmp_path / "half"
    shutil.copytree(root, half)
    (half / "dtd").mkdir()
    (half / "dtd" / "0.tfrecords").touch()
    outcome = evaluate(run, "--sources=dtd,omniglot", f"--records_root_dir={half}")
    assert outcome.code == 3 and f"dtd: missing ({half}/dtd/dataset_spec.json: not found" in outcome.out
    assert list(stored(run)["sources"]) == ["omniglot"]


def test_present_sources_alone_give_exit_code_0(run):
    assert evaluate(run, "--sources=omniglot,traffic_sign").code == 0


@pytest.mark.parametrize("split", ["train", "valid"])
def test_a_source_without_the_split_is_skipped_by_name(run, split):
    outcome = evaluate(run, "--sources=traffic_sign,omniglot", f"--split={split}")
    assert outcome.code == 0 and f"traffic_sign: has no {split} split, skipped" in outcome.out
    assert list(stored(run, split)["sources"]) == ["omniglot"]


def test_a_split_that_no_chosen_source_has_is_refused(run):
    error = evaluate(run, "--sources=traffic_sign", "--split=valid").error
    assert "--split=valid: none of traffic_sign has it; choose other --sources" in error
    assert not list((run / "results").glob("valid*"))


def test_bindings_that_only_save_memory_need_no_name_and_change_no_result(run):
    evaluate(run, "--sources=omniglot")
    whole = (run / "results" / "test.json").read_bytes()
    (run / "results" / "test.json").unlink()
    outcome = evaluate(run, "--sources=omniglot", "--gin_bindings=support_moments.query_portion = 3")
    assert outcome.code == 0 and (run / "results" / "test.json").read_bytes() == whole


def test_results_hold_every_accuracy_and_its_interval(run):
    evaluate(run, "--sources=omniglot", "--num_episodes=3")
    record = stored(run)["sources"]["omniglot"]
    assert record["episodes"] == len(record["scores"]) == 3
    assert (record["mean"], record["ci95"]) == mean_ci(record["scores"])[:2]
    assert all(0 <= accuracy <= 1 for accuracy in record["scores"])


def test_results_are_stamped_with_what_they_depend_on(run, root):
    evaluate(run, "--sources=omniglot", "--seed=5")
    content = stored(run)
    stamp = content["protocol"]
    sampling = stamp.pop("sampling")
    assert stamp == {
        "config": config.config_hash((run / "config.gin").read_text()),
        "name": NAME,
        "pretrained": "no: from scratch",
        "checkpoint": file_hash(run / "checkpoints" / "best.pt"),
        "updates": 2,
        "split": "test",
        "seed": 5,
        "unit": "accuracy",
        "device": "cpu",
        "data_root": str(root),
        "data_kind": "records",
        "learner": "GradientLearner",
        "batch_norm": "support moments, adapted",
        "batch_norm_layer": "EpisodicBatchNorm()",
        "head": "PrototypeHead",
        "inner_steps": 1,
        "order": "first",
        "precision": "float32",
        "prepared by": "nothing",
        "start": "learned",
    }
    assert (sampling["max_ways_upper_bound"], sampling["max_support_set_size"]) == (5, 20)
    data = content["sources"]["omniglot"]["data"]
    assert (data["decoder"], data["image_size"], data["cache"]) == (installed_decoder().name, 16, None)
    assert re.fullmatch("[0-9a-f]{16}", data["spec"])


def test_the_miniature_is_announced_and_stamped(tmp_path, root, monkeypatch):
    """Without a records root; a small root replaces the miniature."""
    monkeypatch.setattr(roots, "miniature_root", lambda: root)
    train = run_entry("train", *bindings(), "--run_dir=run", cwd=tmp_path)
    assert train.code == 0 and train.out.startswith("EMBEDDED MINIATURE DATA: ")
    outcome = evaluate(tmp_path / "run", "--sources=omniglot")
    assert outcome.code == 0 and outcome.out.count("EMBEDDED MINIATURE DATA: ") == 2  # at the start and below the table
    assert stored(tmp_path / "run")["protocol"]["data_kind"] == "miniature"
    assert "EMBEDDED MINIATURE DATA" in (tmp_path / "run" / "results" / "test.md").read_text()


def test_the_markdown_row_is_that_of_the_leaderboard(run):
    evaluate(run)
    table = (run / "results" / "test.md").read_text().splitlines()
    heading, _, row = (line.strip("| ").split(" | ") for line in table[:3])
    present = [name for name in META_DATASET if name in SOURCES]
    assert heading == ["learner", *present, "mean"] and row[0] == NAME
    sources = stored(run)["sources"]
    assert row[1:-1] == [f"{100 * sources[n]['mean']:.2f}±{100 * sources[n]['ci95']:.2f}" for n in present]
    assert row[-1] == f"{100 * sum(sources[name]['mean'] for name in present) / 3:.2f}"
    assert config.config_hash((run / "config.gin").read_text()) in table[-1]


def test_sources_are_in_the_order_of_the_benchmark(run):
    evaluate(run, "--sources=traffic_sign")
    evaluate(run)
    assert (run / "results" / "test.md").read_text().startswith("| learner | ilsvrc_2012 | omniglot | traffic_sign |")


def test_the_csv_has_a_line_for_every_learner_and_source(run):
    evaluate(run, "--baselines=untrained,pixel,feature")
    with open(run / "results" / "test.csv") as file:
        lines = list(csv.DictReader(file))
    learners = [NAME, "untrained", "pixel", "feature"]
    assert [(line["learner"], line["source"]) for line in lines] == [(a, b) for a in learners for b in SOURCES]
    for line in lines:
        stem = "test" if line["learner"] == NAME else f"test-{line['learner']}"
        record = stored(run, stem)["sources"][line["source"]]
        assert float(line["mean"]) == pytest.approx(record["mean"], abs=1e-6)
        assert int(line["episodes"]) == 2


def test_a_second_call_measures_nothing_and_gives_the_same_numbers(run, monkeypatch):
    first = evaluate(run, "--baselines=pixel")
    written = (run / "results" / "test.json").read_bytes()
    monkeypatch.setattr(results, "score_episodes", lambda *arguments, **options: pytest.fail("measured again"))
    second = evaluate(run, "--baselines=pixel")
    assert second.code == 3 and (run / "results" / "test.json").read_bytes() == written
    assert re.findall(r".*±.*", second.out) == re.findall(r".*±.*", first.out)


def test_only_what_is_not_there_yet_is_measured(run, monkeypatch):
    evaluate(run, "--sources=omniglot")
    measured, scores = [], results.score_episodes

    def spy(learner, source, *rest, **options):
        measured.append(source.name)
        return scores(learner, source, *rest, **options)

    monkeypatch.setattr(results, "score_episodes", spy)
    evaluate(run)
    assert measured == ["ilsvrc_2012", "traffic_sign"]


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(run, monkeypatch):
    sources, whole = "--sources=ilsvrc_2012,omniglot", copied(run, run.parent / "whole" / "run")
    assert evaluate(whole, sources, "--num_episodes=3").code == 0
    measure = results.Results.measure

    def interrupted(self, learner, source, *rest):
        if source.name == "omniglot":
            os.kill(os.getpid(), signal.SIGINT)
        return measure(self, learner, source, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(scores, "PORTION", 2)
        patch.setattr(results.Results, "measure", interrupted)
        outcome = evaluate(run, sources, "--num_episodes=3")
    assert outcome.code == 128 + signal.SIGINT and outcome.err == ""
    assert "stopped within omniglot; the same command goes on from there" in outcome.out
    episodes = {name: record["episodes"] for name, record in stored(run)["sources"].items()}
    assert episodes == {"ilsvrc_2012": 3, "omniglot": 2}
    assert evaluate(run, sources, "--num_episodes=3").code == 0 and stored(run) == stored(whole)


def test_the_same_numbers_from_anew(run, trained, tmp_path):
    evaluate(run, "--sources=omniglot")
    again = copied(trained, tmp_path / "again" / "run")
    evaluate(again, "--sources=omniglot")
    assert stored(again) == stored(run)


def test_other_conditions_get_files_of_their_own(run):
    evaluate(run, "--sources=omniglot")
    first = (run / "results" / "test.json").read_bytes()
    outcome = evaluate(run, "--sources=omniglot", "--seed=1")
    assert "run/results/test.json was measured under other conditions; it is kept as test.1.json" in outcome.out
    assert (run / "results" / "test.1.json").read_bytes() == first
    assert stored(run)["protocol"]["seed"] == 1


def test_another_checkpoint_is_named_in_the_files(run):
    evaluate(run, "--sources=omniglot", "--checkpoint=last")
    assert stored(run, "test-last")["protocol"]["checkpoint"] == file_hash(run / "checkpoints" / "last.pt")
    assert not (run / "results" / "test.json").exists()


def test_the_ensemble_is_shown_with_the_best_checkpoint(run):
    assert evaluate(run, "--sources=omniglot", "--checkpoint=ensemble").code == 0
    together, best = stored(run, "test-ensemble"), stored(run)
    assert together["protocol"]["checkpoint"] == [file_hash(run / "checkpoints" / "top" / "update_2.pt")]
    assert together["protocol"]["ensemble"] == 1 and best["protocol"]["checkpoint"] == file_hash(run / BEST)
    assert together["sources"] == best["sources"]  # the ensemble of one is that one
    with open(run / "results" / "test-ensemble.csv") as file:
        assert [line["learner"] for line in csv.DictReader(file)] == [f"{NAME}, ensemble of 1", NAME]


def test_runs_of_several_seeds_are_evaluated_and_averaged(trained, tmp_path):
    for seed in (0, 1):
        copied(trained, tmp_path / "run" / f"seed{seed}")
    outcome = evaluate(tmp_path / "run", "--sources=omniglot", "--seeds=0,1", "--seed=3")
    assert outcome.code == 0 and "deviation over seeds 0, 1" in " ".join(outcome.out.split())
    content = stored(tmp_path / "run", "test-seeds")
    assert content["seeds"] == [0, 1] and content["protocol"]["seed"] == 3
    mean = stored(tmp_path / "run" / "seed0")["sources"]["omniglot"]["mean"]
    assert content["learners"][NAME]["omniglot"] == {"mean": mean, "std": 0.0, "means": [mean, mean]}


def test_no_folder_of_results_and_no_source_hinder_nothing(run, tmp_path):
    shutil.rmtree(run / "results", ignore_errors=True)
    outcome = evaluate(run, "--sources=dtd")
    assert outcome.code == 3 and "dtd: missing" in outcome.out and "0.00" not in outcome.out
    shutil.rmtree(run / "results")
    assert evaluate(run, "--sources=omniglot").code == 0 and stored(run)["sources"]["omniglot"]["episodes"] == 2


def overheat(run: Path) -> None:
    """Gives a checkpoint finite weights whose inner loop leaves every float behind."""
    content = torch.load(run / BEST, weights_only=True)
    for name, tensor in content["learner"].items():
        if name.startswith("rule."):
            tensor.mul_(1e30)
    torch.save(content, run / BEST)


def test_weights_that_diverge_are_shown_everywhere(run, tmp_path):
    overheat(run)
    outcome = evaluate(run, "--sources=omniglot", "--baselines=pixel")
    assert outcome.code == 0 and "test omniglot: diverged 2 of 2 (episodes 0, 1)." in outcome.out
    assert "count as 0.00" in outcome.out and outcome.out.count("diverged 2 of 2") == 2
    assert stored(run)["sources"]["omniglot"]["scores"] == [None, None]
    assert "diverged 2 of 2" in (run / "results" / "test.md").read_text()
    with open(run / "results" / "test.csv") as file:
        assert [line["diverged"] for line in csv.DictReader(file)] == ["2", "0"]
    compared = run_entry("compare", "run", "run/results/test-pixel.json", cwd=tmp_path)
    assert compared.code == 0 and "omniglot: diverged 2 of 2 in A, 0 of 2 in B" in compared.out


def test_results_of_seeds_count_those_of_all(trained, tmp_path):
    for seed in (0, 1):
        run = copied(trained, tmp_path / "run" / f"seed{seed}")
    overheat(run)
    outcome = evaluate(tmp_path / "run", "--sources=omniglot", "--seeds=0,1")
    assert outcome.code == 0 and "(diverged 2 of 4)" in outcome.out
    assert stored(tmp_path / "run", "test-seeds")["learners"][NAME]["omniglot"]["diverged"] == [0, 2]
    assert "(diverged 2 of 4)" in (tmp_path / "run" / "results" / "test-seeds.md").read_text()
