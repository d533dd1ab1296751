"""Runs whose records or folder moved: they go on bit for bit, are evaluated, and notice other data."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from alfa_md.evaluation import results
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.training import step
from tests.entries.harness import bindings, copied, needs_tensorflow, run_entry
from tests.equal_runs import assert_equal_runs

pytestmark = needs_tensorflow
LONG = ("train.num_updates = 4", "train.validate_every = 1", "train.keep_best = 2", "train.log_every = 1")


def trained(folder: Path, records: Path, *lines: str):
    flags = [*bindings(*LONG, *lines), f"--records_root_dir={records}", "--run_dir=run"]
    return run_entry("train", *flags, cwd=folder)


def evaluated(run: Path, *flags: str, source: str = "omniglot", episodes: int = 2):
    measured = (f"--sources={source}", f"--num_episodes={episodes}")
    return run_entry("evaluate", f"--run_dir={run}", *measured, *flags, cwd=run.parent)


def swap(source: Path, first: int, second: int) -> None:
    one, other = (source / f"{number}.tfrecords" for number in (first, second))
    one.rename(source / "kept")
    other.rename(one)
    (source / "kept").rename(other)


@pytest.fixture(scope="module")
def half(root, tmp_path_factory) -> Path:
    """A folder with its own records and a run on them that was stopped after two of four updates."""
    folder = tmp_path_factory.mktemp("half")
    copied(root, folder / "records")
    backward, seen = step.accumulate_gradients, []

    def stopped(*arguments):
        seen.append(arguments)
        if len(seen) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return backward(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "accumulate_gradients", stopped)
        assert trained(folder, folder / "records").code == 128 + signal.SIGTERM
    return folder


def test_a_copied_run_ends_the_same_on_records_that_moved(half, root, tmp_path):
    (tmp_path / "whole").mkdir()
    assert trained(tmp_path / "whole", root).code == 0
    machine = Path(shutil.copytree(half, tmp_path / "machine"))
    shutil.rmtree(machine / "run" / "results")
    shutil.rmtree(machine / "run" / "checkpoints" / "top")
    outcome = trained(machine, (machine / "records").rename(machine / "moved"))
    said = f"The data of this run is at another path than before ({half / 'records'}): it is the same data\n"
    assert outcome.code == 0 and said in outcome.out
    whole, moved = (RunDirectory(folder / "run") for folder in (tmp_path / "whole", machine))
    moved_top = {file.name for file in moved.top.iterdir()}
    assert moved_top <= {file.name for file in whole.top.iterdir()}
    shutil.copytree(whole.top, moved.top, dirs_exist_ok=True)  # what was removed of the best weights is not made again
    assert_equal_runs(whole, moved)
    assert moved.facts()["data_root"] == str(machine / "moved")
    assert str(half) not in moved.config_text() and evaluated(moved.path).code == 0


def test_a_run_goes_on_with_its_own_configuration(half, tmp_path):
    machine = Path(shutil.copytree(half, tmp_path / "machine"))
    flags = ["--gin_config=run/config.gin", "--records_root_dir=records", "--run_dir=run"]
    outcome = run_entry("train", *flags, cwd=machine)
    assert outcome.code == 0 and "4 updates done" in outcome.out
    assert RunDirectory(machine / "run").facts()["name"] == "proto_maml_alfa+quickstart"


def test_a_link_to_records_may_lead_elsewhere(half, tmp_path):
    machine = Path(shutil.copytree(half, tmp_path / "machine"))
    link = machine / "link"
    link.symlink_to(machine / "records")
    assert trained(machine, link).code == 0
    (machine / "records").rename(machine / "moved")
    link.unlink()
    link.symlink_to(machine / "moved")
    outcome = trained(machine, link)
    assert outcome.code == 0 and "at another path" not in outcome.out


def test_two_swapped_class_files_are_noticed_by_training(half, tmp_path):
    machine = Path(shutil.copytree(half, tmp_path / "machine"))
    swap(machine / "records" / "ilsvrc_2012", 0, 4)
    error = trained(machine, machine / "records").error
    assert error.startswith("run was trained on other data (ilsvrc_2012 train: 0.tfrecords is another one); give")


def test_results_are_found_again_at_another_path(half, tmp_path, monkeypatch):
    machine = Path(shutil.copytree(half, tmp_path / "machine"))
    assert evaluated(machine / "run", f"--records_root_dir={machine / 'records'}").code == 0
    stored = (machine / "run" / "results" / "test.json").read_bytes()
    (machine / "records").rename(machine / "moved")
    monkeypatch.setattr(results, "score_episodes", lambda *arguments, **options: pytest.fail("measured again"))
    outcome = evaluated(machine / "run", f"--records_root_dir={machine / 'moved'}")
    assert outcome.code == 0 and (machine / "run" / "results" / "test.json").read_bytes() == stored


def test_results_of_other_records_are_not_mixed(half, tmp_path):
    machine = Path(shutil.copytree(half, tmp_path / "machine"))
    run, here = machine / "run", f"--records_root_dir={machine / 'records'}"
    assert evaluated(run, here).code == 0
    stored = (run / "results" / "test.json").read_bytes()
    swap(machine / "records" / "omniglot", 11, 17)  # of the test split, which training does not read
    error = evaluated(run, here, episodes=3).error
    assert error.startswith(
        f"{run}/results/test.json was measured on other data (omniglot test: 11.tfrecords is another one); give"
    )
    assert evaluated(run, here, "--name=swapped", episodes=3).code == 0
    assert (run / "results" / "test.json").read_bytes() == stored
    old, new = (json.loads((run / "results" / f"{stem}.json").read_text()) for stem in ("test", "test-swapped"))
    assert old["sources"]["omniglot"]["data"]["digests"] != new["sources"]["omniglot"]["data"]["digests"]
    error = run_entry("compare", run / "results/test.json", run / "results/test-swapped.json", cwd=machine).error
    assert error.startswith("not the same episodes: omniglot comes from different data in A and B")


def test_another_data_set_under_the_same_name_is_refused_by_evaluation_unless_named(half, root, tmp_path):
    machine = Path(shutil.copytree(half, tmp_path / "machine"))
    run, other = machine / "run", copied(root, machine / "other")
    swap(other / "ilsvrc_2012", 1, 2)
    there = f"--records_root_dir={other}"
    error = evaluated(run, there, source="ilsvrc_2012").error
    assert error.startswith(f"{run} was trained on other data (ilsvrc_2012 train: 1.tfrecords is another one); give")
    outcome = evaluated(run, there, "--name=other", source="ilsvrc_2012")
    assert outcome.code == 0 and "Other data than this run was trained on (ilsvrc_2012 train: 1.tf" in outcome.out
    for file in (other / "ilsvrc_2012").glob("[0-9].tfrecords"):
        file.unlink()  # of training: an evaluation does not need them
    assert evaluated(run, there, source="ilsvrc_2012").code == 0


def test_other_threads_are_said(half, tmp_path):
    machine = Path(shutil.copytree(half, tmp_path / "machine"))
    facts = json.loads((machine / "run" / "run.json").read_text())
    assert facts["threads"] == 1 and facts["processes"] == 1 and facts["device"] == "cpu"
    (machine / "run" / "run.json").write_text(json.dumps(facts | {"threads": 7}))
    outcome = trained(machine, machine / "records")
    assert outcome.code == 0 and "Other conditions than at the start (threads: 7 -> 1): sums are rounded" in outcome.out


def test_a_finished_run_is_extended(half, tmp_path):
    machine = Path(shutil.copytree(half, tmp_path / "machine"))
    assert trained(machine, machine / "records").code == 0
    outcome = trained(machine, machine / "records", "train.num_updates = 5")
    assert outcome.code == 0 and "train.num_updates: 4 -> 5: the run is extended" in outcome.out
    assert "5 updates done" in outcome.out and "train.num_updates = 5\n" in (machine / "run/config.gin").read_text()
    assert evaluated(machine / "run").code == 0
    assert "(train.num_updates: 5 -> 4)" in trained(machine, machine / "records").error
