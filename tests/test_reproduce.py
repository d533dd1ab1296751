"""Reproduction of cells of the paper's tables at small size: stored results and refusals."""

import argparse
import copy
import json
import subprocess
import sys

import pytest

from alfa_md.data.miniature import miniature_root
from alfa_md.errors import UserError
from alfa_md.system.files import write_json
from scripts import measure, measurement, paper_table
from scripts import reproduce as reproduce_script
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
    assert content["command"].endswith("--seeds=0,1 --num_episodes=10 --num_updates=2")
    single, ensemble = paper_table.format_measured(cell, tmp_path / "results", 2)
    assert single.startswith(f"{sum(means) / 2:.3f}±") and single.endswith("2 seeds)") and ensemble == ""
    assert "(10 episodes, std " in single
    assert paper_table.format_difference(cell, tmp_path / "results", 2) == f"{sum(means) / 2 - 0.62:+.3f}"
    page = paper_table.section(tmp_path / "results")
    assert f"| table8_alfa_maml | 2x40 k=10 | 0.62±0.16 | {single} |  | " in page
    assert "| table8_maml | 2x40 k=10 | 0.75±0.15 | unmeasured |" in page and "### table8: 1 measured" in page
    refuses_what_is_no_measurement(cell, runs, tmp_path / "results" / cell.file(2), content)


def refuses_what_is_no_measurement(cell, runs, stored, content):
    """Results of several numbers of episodes, of the miniature, and fewer than those that are stored."""
    options = argparse.Namespace(seeds=[0, 1], num_updates=2)
    assert measurement.measurement(cell, runs, options) == content
    with pytest.raises(UserError, match="holds 10 episodes of seeds 0, 1; kept; remove it to store fewer"):
        measurement.refuse_less(content | {"seeds": [0]}, stored)
    fewer = copy.deepcopy(content)
    fewer["learners"]["single best"][1]["episodes"] = 4
    with pytest.raises(UserError, match="holds 10 episodes"):
        measurement.refuse_less(fewer, stored)
    measurement.refuse_less(content, stored)
    file = runs / "seed1" / "results" / "test.json"
    original = json.loads(file.read_text())
    for change, message in ((first_only, "several numbers of episodes .10, 1."), (drawn, "on the embedded miniature")):
        write_json(file, change(copy.deepcopy(original)))
        with pytest.raises(UserError, match=message):
            measurement.measurement(cell, runs, options)


def first_only(result: dict) -> dict:
    """The result with its first episode alone."""
    record = result["sources"]["sine"]
    record |= {"scores": record["scores"][:1], "episodes": 1, "mean": record["scores"][0], "ci95": 0.0}
    return result


def drawn(result: dict) -> dict:
    """The result as one of the miniature."""
    result["protocol"]["data_kind"] = "miniature"
    return result


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


def test_the_miniature_is_no_measurement_wherever_it_lies(tmp_path):
    pytest.importorskip("tensorflow")
    (tmp_path / "RECORDS").symlink_to(miniature_root())
    done = reproduce(
        tmp_path, "table3", "--row=table3_maml", "--setting=omniglot", f"--records_root_dir={tmp_path / 'RECORDS'}"
    )
    assert done.returncode == 3 and "the embedded miniature is no measurement" in done.stdout


@pytest.mark.parametrize("parser", [reproduce_script.flags, measure.make_parser])
def test_a_flag_that_is_given_twice_is_refused(parser, capsys):
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["--seeds=0", "--seeds=1"])
    assert "--seeds is given twice; give it once" in capsys.readouterr().err
    assert parser().parse_args([*(["table8"] if parser is reproduce_script.flags else []), "--seeds=1"]).seeds == "1"


def test_a_seed_that_is_none_is_refused(tmp_path):
    done = reproduce(tmp_path, "table8", "--seeds=0,x")
    assert done.returncode == 2 and done.stderr.startswith("error: --seeds=0,x: give whole numbers")


def test_what_the_paper_quotes_is_printed_and_never_measured(tmp_path):
    done = reproduce(tmp_path, "tableD")
    assert done.returncode == 0 and not (tmp_path / "runs").exists()
    line = "| best of Tian et al. | 61.48 | 64.31 | 62.32 | 79.47 | 79.28 | 60.84 | 48.53 | 91.00 | 76.33 | 59.28 |"
    assert line in " ".join(done.stdout.split())
    assert line in paper_table.section(tmp_path)


def test_a_damaged_measurement_is_named(tmp_path):
    (cell,) = select_cells("table8", ["table8_alfa_maml"], ["2x40 k=10"])
    file = tmp_path / cell.file()
    file.parent.mkdir(parents=True)
    for content in ("{", "[]", '{"learners": {"single best": [{"episodes": "600"}]}, "seeds": [0]}'):
        file.write_text(content)
        with pytest.raises(UserError, match="is no stored measurement; restore or remove it"):
            paper_table.load_measurement(cell, tmp_path)
