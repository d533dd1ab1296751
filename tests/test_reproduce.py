"""Reproduction of cells of the paper's tables at small size: stored results and refusals."""

import argparse
import copy
import json
import resource
import shlex
import subprocess
import sys

import pytest

from alfa_md.data.miniature import miniature_root
from alfa_md.errors import UserError
from alfa_md.system.files import write_json
from scripts import measure, measurement, paper_table
from scripts import reproduce as reproduce_script
from scripts.paper_cells import Variation, select_cells
from tests.entries.harness import write_root
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
    runs = tmp_path / "runs" / cell.folder.parent / f"{cell.folder.name}@2,10"
    files = [json.loads((runs / f"seed{seed}" / "results" / "test.json").read_text()) for seed in (0, 1)]
    means = [file["sources"]["sine"]["mean"] for file in files]
    assert content["seeds"] == [0, 1] and content["updates"] == [2, 2] and content["members"] == 1
    assert [seed["mean"] for seed in content["learners"]["single best"]] == means and means[0] != means[1]
    assert content["command"].endswith("--seeds=0,1 --num_episodes=10 --num_updates=2")
    assert done.stdout.startswith("1 of 1: table8_alfa_maml, 2x40 k=10; 0 s so far\ntrain in ")
    assert "train.num_validation_episodes = 10" in (runs / "seed0" / "config.gin").read_text()
    single, ensemble = paper_table.format_measured(cell, tmp_path / "results", 2)
    assert single.startswith(f"{sum(means) / 2:.3f}±") and single.endswith("2 seeds)") and ensemble == ""
    assert "(10 episodes, std " in single
    assert paper_table.format_difference(cell, tmp_path / "results", 2) == f"{sum(means) / 2 - 0.62:+.3f}"
    page = paper_table.section(tmp_path / "results")
    assert f"| table8_alfa_maml | 2x40 k=10 | 0.62±0.16 | {single} |  | " in page
    assert "| table8_maml |" not in page and "table8 1 of 18" in " ".join(page.split())
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


BINDINGS = (
    *("import alfa_md.backbones.four_layer_convnet", "BACKBONE = @FourLayerConvNet()", "IMAGE_SIZE = 16"),
    *("FourLayerConvNet.num_filters = 4", "NUM_FEATURES = 4", "cache = None"),
    *("Sampling.max_ways_upper_bound = 5", "Sampling.max_support_set_size = 20"),
)
TRAINING = (
    *("train/Sampling.max_ways_upper_bound = 5", "train/Sampling.max_support_set_size = 20"),
    *("GradientLearner.num_steps = 1", *BINDINGS),
)
PRETRAINING = ("NUM_CLASSES = 12", "train.num_updates = 2", "batches.batch_size = 4", *BINDINGS)


@pytest.mark.slow
def test_a_row_at_two_updates_takes_less_than_a_minute_with_its_pretraining(tmp_path):
    """Of CPU, on tiny records; its bindings, also of the pretraining, are in the stored command."""
    pytest.importorskip("tensorflow")
    root, spent = write_root(tmp_path / "records"), resource.getrusage(resource.RUSAGE_CHILDREN)
    flags = [f"--gin_bindings={line}" for line in TRAINING] + [f"--pretraining_bindings={line}" for line in PRETRAINING]
    small = ("table3", "--row=table3_proto_maml_alfa", "--setting=omniglot", "--num_updates=2", "--num_episodes=3")
    done = reproduce(tmp_path, *small, f"--records_root_dir={root}", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert used.ru_utime + used.ru_stime - spent.ru_utime - spent.ru_stime < 60
    (stored,) = (tmp_path / "results" / "paper" / "table3_proto_maml_alfa").iterdir()
    assert stored.name.startswith("omniglot+train-Sampling.max-ways-upper-bound-5-") and stored.name.endswith("@2.json")
    words = shlex.split(json.loads(stored.read_text())["command"])
    assert set(flags) <= set(words) and {"--num_episodes=3", "--num_updates=2", *small[1:3]} <= set(words)
    (run,) = (tmp_path / "runs" / "table3_proto_maml_alfa").iterdir()
    for folder in (run / "seed0", run / "seed0" / "pretrain"):
        text = (folder / "config.gin").read_text()
        assert "train.num_updates = 2" in text and "train.num_validation_episodes = 3" in text


@pytest.mark.parametrize(
    "table, flag, line",
    [
        ("table8", "--gin_bindings=alfa.inner_rat = 1.0", "alfa.inner_rat"),
        ("table8", "--pretraining_bindings=train.num_updates = 2", "table8_maml begins with no pretraining; leave"),
        ("table3", "--pretraining_bindings=batches.batch_size = 'x'", "batches.batch_size = 'x' must be"),
        ("table8", "--num_episodes=0", "--num_episodes=0: give at least 1"),
    ],
)
def test_a_binding_that_does_not_fit_is_refused(tmp_path, table, flag, line):
    done = reproduce(tmp_path, table, flag)
    assert done.returncode == 2 and line in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists() and not (tmp_path / "results").exists()


def test_own_bindings_have_names_of_their_own():
    (cell,) = select_cells("table8", ["table8_alfa_maml"], ["2x40 k=10"])
    assert Variation().suffix == ""
    varied = [cell._replace(variation=Variation((line,))) for line in ("a = 1.0", "a = -1.0")]
    assert len({each.file(2) for each in (cell, *varied)}) == len({each.folder for each in (cell, *varied)}) == 3
    assert varied[0].gin_bindings == [*cell.gin_bindings, "a = 1.0"]


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
    assert "`scripts/reproduce.sh tableD` prints them" in " ".join(paper_table.section(tmp_path).split())


def test_a_damaged_measurement_is_named(tmp_path):
    (cell,) = select_cells("table8", ["table8_alfa_maml"], ["2x40 k=10"])
    file = tmp_path / cell.file()
    file.parent.mkdir(parents=True)
    for content in ("{", "[]", '{"learners": {"single best": [{"episodes": "600"}]}, "seeds": [0]}'):
        file.write_text(content)
        with pytest.raises(UserError, match="is no stored measurement; restore or remove it"):
            paper_table.load_measurement(cell, tmp_path)
