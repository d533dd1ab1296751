"""Reproduction of cells of the paper's tables at small size: stored results and refusals."""

import json
import subprocess
import sys

import pytest

from scripts import paper_table
from scripts.paper_cells import select_cells
from tests.shared import ROOT


def reproduce(folder, *arguments):
    flags = [f"--runs={folder / 'runs'}", f"--results={folder / 'results'}", "--device=cpu", *arguments]
    done = [sys.executable, "-m", "scripts.reproduce", *flags]
    return subprocess.run(done, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_a_cell_is_trained_evaluated_and_kept(tmp_path):
    small = ("table8", "--row=table8_alfa_maml", "--setting=2x40 k=10", "--num_updates=2", "--num_episodes=10")
    done = reproduce(tmp_path, *small, "--seeds=0,1,1")
    assert done.returncode == 0, done.stderr
    (cell,) = select_cells("table8", ["table8_alfa_maml"], ["2x40 k=10"])
    assert cell.budgets(tmp_path / "results") == [2] and cell.budgets(tmp_path) == [None]
    content = paper_table.load_measurement(cell, tmp_path / "results", 2)
    runs = tmp_path / "runs" / cell.folder.parent / f"{cell.folder.name}@2"
    files = [json.loads((runs / f"seed{seed}" / "results" / "test.json").read_text()) for seed in (0, 1)]
    means = [file["sources"]["sine"]["mean"] for file in files]
    assert content["seeds"] == [0, 1] and content["updates"] == [2, 2] and content["members"] == 1
    assert [seed["mean"] for seed in content["learners"]["single best"]] == means and means[0] != means[1]
    assert content["command"].endswith("--seeds=0,1 --num_updates=2")
    single, ensemble = paper_table.format_measured(cell, tmp_path / "results", 2)
    assert single.startswith(f"{sum(means) / 2:.3f}±") and "2 seeds" in single and ensemble == ""
    assert paper_table.format_difference(cell, tmp_path / "results", 2) == f"{sum(means) / 2 - 0.62:+.3f}"
    page = paper_table.section(tmp_path / "results")
    assert f"| table8_alfa_maml | 2x40 k=10 | 0.62±0.16 | {single} |  | " in page
    assert "| table8_maml | 2x40 k=10 | 0.75±0.15 | unmeasured |" in page and "### table8: 1 measured" in page


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (("table4", "--setting=20-way 1-shot"), "this configuration reads images, and no folder is given"),
        (("table2", "--row=table2_conv4_maml", "--records_root_dir=."), "mini_imagenet"),
    ],
)
def test_a_cell_without_its_data_is_named_before_anything_is_trained(tmp_path, arguments, reason):
    done = reproduce(tmp_path, *arguments)
    assert done.returncode == 3 and reason in done.stdout and "unmeasured" in done.stdout
    assert not (tmp_path / "runs").exists() and not (tmp_path / "results").exists()


def test_the_miniature_is_no_measurement(tmp_path):
    pytest.importorskip("tensorflow")
    done = reproduce(tmp_path, "table3", "--row=table3_maml", "--setting=omniglot")
    assert done.returncode == 3 and "the embedded miniature is no measurement" in done.stdout


def test_a_seed_that_is_none_is_refused(tmp_path):
    done = reproduce(tmp_path, "table8", "--seeds=0,x")
    assert done.returncode == 2 and done.stderr.startswith("error: --seeds=0,x: give whole numbers")


def test_what_the_paper_quotes_is_printed_and_never_measured(tmp_path):
    done = reproduce(tmp_path, "tableD")
    assert done.returncode == 0 and not (tmp_path / "runs").exists()
    line = "| best of Tian et al. | 61.48 | 64.31 | 62.32 | 79.47 | 79.28 | 60.84 | 48.53 | 91.00 | 76.33 | 59.28 |"
    assert line in " ".join(done.stdout.split())
    assert line in paper_table.section(tmp_path)
