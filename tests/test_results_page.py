"""RESULTS.md is generated from the stored results."""

import json

import gin
import pytest

from alfa_md.experiment import config, definition
from scripts import few_shot_table, parts_table, sine_table
from scripts.omniglot_table import best_proto_maml, section
from scripts.results_page import soak_section, write_results
from scripts.studies import PARTS, SINE
from scripts.study import format_commands, load_results
from tests.shared import ROOT


def stored(data_flags, variant, seed, scores):
    content = {"variant": variant, "seed": seed, "updates": 600, "cpu_seconds": 120.0, "bindings": ["a = 1"]}
    content["machine"] = "m"
    content["sources"] = {"omniglot": {"mean": sum(scores) / len(scores), "ci95": 0.01, "scores": scores}}
    (data_flags / f"{variant}-seed{seed}.json").write_text(json.dumps(content))


@pytest.mark.parametrize("file", ["RESULTS.md", "results/COMMANDS.md"])
def test_the_pages_in_the_repository_are_what_the_stored_results_give(tmp_path, file):
    (tmp_path / "results").mkdir()
    write_results(ROOT / "results", tmp_path)
    assert (tmp_path / file).read_text() == (ROOT / file).read_text()


def test_the_page_can_be_read_from_top_to_bottom():
    assert len((ROOT / "RESULTS.md").read_text().splitlines()) <= 260


def test_differences_are_paired_with_the_best_rate(tmp_path):
    stored(tmp_path, "proto-maml-0.01", 0, [0.5, 0.7])
    stored(tmp_path, "proto-maml-0.1", 0, [0.6, 0.8])
    stored(tmp_path, "ALFA", 0, [0.7, 0.9])
    assert best_proto_maml(load_results(tmp_path, "omniglot")) == "proto-maml-0.1"
    text = section(tmp_path)
    assert "| fo-Proto-MAML + ALFA - fo-Proto-MAML, inner rate 0.1 | 0 | 10.00±0.00 | 10.00±0.00 |" in text
    assert "| fo-Proto-MAML + ALFA | 600 | 80.00 |" in text and "| Prototypical network | | unmeasured |" in text


def test_an_empty_store_is_an_error(tmp_path):
    with pytest.raises(SystemExit, match="nothing is stored"):
        section(tmp_path)


def test_the_soak_section_has_its_numbers(tmp_path):
    assert "Unmeasured" in soak_section(tmp_path / "soak.json")
    measured = {"updates": 60, "minutes": 2.4, "killed_after": [7, 31], "memory_second_quarter": 701.2}
    measured |= {"memory_last_quarter": 702.9, "machine": "m", "torch": "2"}
    (tmp_path / "soak.json").write_text(json.dumps(measured))
    text = soak_section(tmp_path / "soak.json")
    assert "60 updates" in text and "killed 2 times at" in text and "after updates 7, 31" in text and "703 MB" in text


def sine_result(data_flags, variant, seed, scores):
    content = {"variant": variant, "seed": seed, "updates": 10000, "cpu_seconds": 120.0, "machine": "m"}
    content["sources"] = {"sine": {"mean": sum(scores) / len(scores), "ci95": 0.01, "scores": scores}}
    (data_flags / f"{variant}-seed{seed}.json").write_text(json.dumps(content))


def test_sine_cells_are_paired_curve_by_curve(tmp_path):
    for seed, offset in ((0, 0.0), (1, 0.2)):
        sine_result(tmp_path, "2x40-k10-maml", seed, [1.0 + offset, 2.0 + offset])
        sine_result(tmp_path, "2x40-k10-alfa", seed, [0.5, 1.5])
    sine_result(tmp_path, "2x40-k10-control", 1, [0.4, 1.6])
    text = sine_table.section(tmp_path)
    assert (
        "| 2x40 k=10 | MAML | 0, 1 | 1.600 | 0.141 | 1.500±0.010, 1.700±0.010 | 1.600 | 1.600 | 2.200 | 2.0 |" in text
    )
    assert "| 2x40 k=10 | 0.67, 0.59 | -0.600±0.000 | -0.000±0.139 | -0.000±0.139 |" in text
    assert "\n\nUnmeasured: 2x40 k=5 MAML; 2x40 k=5 ALFA + MAML; " in text and "3x80 k=20 MAML; " in text


def test_rules_that_are_not_in_the_paper_are_paired_with_alfa_and_control(tmp_path):
    for method, scores in {"maml": [1.0, 2.0], "alfa": [0.5, 1.5], "lograte": [0.25, 0.75]}.items():
        sine_result(tmp_path, f"2x40-k10-{method}", 0, scores)
    for number, scores in ((1, [0.25, 0.5]), (5, [0.5, 1.0])):
        sine_result(tmp_path, f"2x40-k10-lograte-{number}-more", 0, scores)
    text = sine_table.section(tmp_path)
    assert "| 2x40 k=10 | 0.67 | -0.500±0.000 |  |  | -0.500±0.346 |  |" in text
    lograte = "LogRate + MAML (not in the paper)"
    assert f"| {lograte}, 1 more inner steps at test | 0 | 0.375 | {lograte} | -0.125±0.173 |" in text
    assert f"| {lograte}, 5 more inner steps at test | 0 | 0.750 | {lograte} | 0.250±0.000 |" in text


def test_commands_of_a_study_can_be_typed(tmp_path):
    sine_result(tmp_path, "2x40-k10-alfa", 0, [0.5])
    sine_result(tmp_path, "2x40-k10-alfa", 1, [0.5])
    text = format_commands(SINE, load_results(tmp_path, "sine"))
    assert "--gin_bindings='GradientLearner.batching = @Traced()'" in text and "--seed='0|1'" in text


def test_few_shot_accuracies_are_paired_with_maml_on_every_source(tmp_path):
    for variant, scores in (("5-way-1-shot-maml", [0.2, 0.4]), ("5-way-1-shot-alfa_maml", [0.5, 0.7])):
        record = {"mean": sum(scores) / 2, "ci95": 0.1, "scores": scores}
        content = {"variant": variant, "seed": 0, "cpu_seconds": 90.0, "machine": "m"}
        content["sources"] = dict.fromkeys(few_shot_table.SOURCES, record)
        (tmp_path / f"{variant}-seed0.json").write_text(json.dumps(content))
    text = few_shot_table.section(tmp_path)
    assert "| 5-way 1-shot | MAML | 0 | 30.00±10.00 |  | 30.00±10.00 |  | 30.00±10.00 |  | 1.5 |" in text
    pair = "60.00±10.00 | 30.00±0.00"
    assert f"| 5-way 1-shot | ALFA + MAML | 0 | {pair} | {pair} | {pair} | 1.5 |" in text
    assert "\n\nUnmeasured: ALFA + Random Init in 5-way 1-shot; MAML + L2F in 5-way 1-shot; " in text


def test_a_part_s_difference_is_paired_with_fine_tuning_of_the_same_part(tmp_path):
    for variant, scores in (("lora-fine-tuning", [0.2, 0.4]), ("lora-alfa", [0.5, 0.8]), ("pretrained", [0.3, 0.3])):
        content = {"variant": variant, "seed": 0, "cpu_seconds": 90.0, "machine": "m", "bindings": ["INNER_RATE = 1"]}
        content |= {"grid": {"INNER_RATE = 1": 0.3}} if "fine" in variant else {}
        content["sources"] = {"ilsvrc_2012": {"mean": sum(scores) / 2, "ci95": 0.1, "scores": scores}}
        (tmp_path / f"{variant}-seed0.json").write_text(json.dumps(content))
    text = parts_table.section(tmp_path)
    title = f"| {parts_table.TITLES['lora']} | 28 |"
    assert f"{title} fine-tuning | 0 | 1 | 30.00±10.00 |  | 1.5 |" in text
    assert f"{title} ALFA | 0 |  | 65.00±10.00 | 35.00±" in text
    assert "| the head | 2 | ALFA |  |  | unmeasured |" in text


@pytest.mark.parametrize("name", parts_table.TITLES)
def test_the_numbers_of_adapted_tensors_are_those_of_the_learners(name):
    variant = PARTS.variants[f"{name}-alfa"]
    config.parse([variant.config], variant.bindings)
    learner = definition.build_experiment(0).learner
    gin.clear_config()
    assert len(learner.template()) == parts_table.TENSORS[name]
    assert learner.rule.hypers.first.generator.network[-1].out_features == 2 * parts_table.TENSORS[name]
