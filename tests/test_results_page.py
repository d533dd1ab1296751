"""RESULTS.md is made from the stored results, and its numbers are theirs."""

import json

import pytest

from scripts.omniglot_table import best_proto_maml, load, write_results
from tests.shared import ROOT

STORE = ROOT / "results" / "omniglot"


def stored(folder, variant, seed, accuracies):
    content = {"variant": variant, "seed": seed, "updates": 600, "cpu_seconds": 120.0, "bindings": ["a = 1"]}
    content |= {"machine": "m", "mean": sum(accuracies) / len(accuracies), "ci95": 0.01, "accuracies": accuracies}
    (folder / f"{variant}-seed{seed}.json").write_text(json.dumps(content))


def test_the_report_in_the_repository_is_what_the_stored_results_give(tmp_path):
    write_results(STORE, tmp_path / "RESULTS.md")
    assert (tmp_path / "RESULTS.md").read_text() == (ROOT / "RESULTS.md").read_text()


def test_differences_are_paired_with_the_best_rate(tmp_path):
    stored(tmp_path, "proto-maml-0.01", 0, [0.5, 0.7])
    stored(tmp_path, "proto-maml-0.1", 0, [0.6, 0.8])
    stored(tmp_path, "ALFA", 0, [0.7, 0.9])
    assert best_proto_maml(load(tmp_path)) == "proto-maml-0.1"
    write_results(tmp_path, tmp_path / "RESULTS.md")
    text = (tmp_path / "RESULTS.md").read_text()
    assert "| fo-Proto-MAML + ALFA - fo-Proto-MAML, inner rate 0.1 | 0 | 10.00±0.00 | 10.00±0.00 |" in text
    assert "| fo-Proto-MAML + ALFA | 600 | 80.00 |" in text and "| Prototypical network | | unmeasured |" in text


def test_nothing_stored_is_said(tmp_path):
    with pytest.raises(SystemExit, match="nothing is stored"):
        write_results(tmp_path, tmp_path / "RESULTS.md")
