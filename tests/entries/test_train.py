"""`python -m alfa_md.train`: printed lines on refusal and stop, and the run directory."""

import json
import os
import re
import signal
from pathlib import Path

import pytest
import torch

from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.config import differences
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.training import step
from tests.entries.harness import CONFIG, bindings, contents, needs_tensorflow, run_entry, spawn_entry

pytestmark = needs_tensorflow


def test_records_root_of_the_environment_is_checked_as_well(tmp_path, monkeypatch):
    monkeypatch.setenv("META_DATASET_RECORDS", str(tmp_path / "nowhere"))
    assert f"records root {tmp_path / 'nowhere'} does not exist" in run_entry("train", *CONFIG, cwd=tmp_path).error


def test_a_file_that_leaves_out_what_is_required(tmp_path, root):
    flags = ["--gin_config=gin/parts/training.gin", f"--records_root_dir={root}"]
    error = run_entry("train", *flags, cwd=tmp_path).error
    assert error.startswith("Required bindings for `Experiment` not provided in config: ['learner', 'reader', ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu(refused):
    assert refused("train", "--device=cuda") == "--device=cuda: torch sees no CUDA GPU here; use --device=cpu or auto"


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--gin_bindings=train.learning_rate = 0.5"], "(train.learning_rate: 0.001 -> 0.5)"),
        (["--gin_bindings=GradientLearner.rule = @sgd"], "GradientLearner.rule: @alfa -> @sgd"),
        (["--seed=1"], "(seed: 0 -> 1)"),
    ],
)
def test_run_directory_of_another_configuration(refused, flags, named):
    error = refused("train", "--run_dir=run", *flags)
    assert error.startswith("run is a run of another configuration (") and named in error
    assert error.endswith("; choose another --run_dir")


def test_a_run_that_diverges_names_step_source_and_episode_and_keeps_its_last_checkpoint(refused, tmp_path):
    """The rate grows by a factor of 1e30 after two updates; the checkpoint of the second is unchanged."""
    decay = ("step_decay.decay_every = 2", "step_decay.decay_rate = 1e30")
    leap = (*decay, "train.num_updates = 9", "train.checkpoint_every = 2")
    error = refused("train", *(f"--gin_bindings={line}" for line in leap), "--run_dir=new")
    found = re.match(
        r"non-finite loss at update (\d+) on ilsvrc_2012 train episode (\d+) of seed 0; checkpoints", error
    )
    assert found and int(found[1]) in (3, 4) and int(found[2]) == int(found[1]) - 1
    content = load_checkpoint(tmp_path / "new" / "checkpoints" / "last.pt")
    assert content["step"] == 2
    assert all(tensor.isfinite().all() for tensor in content["learner"].values())


def test_an_inner_rate_beyond_all_bounds_stops_the_first_update(refused, tmp_path):
    error = refused("train", "--gin_bindings=INNER_RATE = 1e30", "--run_dir=new")
    assert "non-finite loss at update 1 on ilsvrc_2012 train episode 0 of seed 0" in error
    assert not list(tmp_path.glob("new/checkpoints/*"))


@pytest.fixture
def without_tensorflow(tmp_path) -> Path:
    """A folder of modules that makes the import of TensorFlow fail."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "modules" / "tensorflow.py").write_text("raise ImportError('not here')\n")
    return tmp_path / "modules"


def test_a_run_needs_no_tensorflow_and_decodes_once(tmp_path, root, without_tensorflow):
    flags = [*bindings("cache = @ImageCache()"), f"--records_root_dir={root}", "--run_dir=run", "--cache_dir=cache"]
    outcome = spawn_entry("train", *flags, cwd=tmp_path / "here", first=without_tensorflow)
    assert (outcome.code, outcome.err) == (0, "")
    kept = [file.name[:24] for file in (tmp_path / "here" / "cache" / "decoded").iterdir()]
    assert kept == ["ilsvrc_2012-16-uint8-" + kept[0][21:]]


def test_tensorflow_missing(tmp_path, root, without_tensorflow):
    flags = [*bindings("decoder = @tensorflow()"), f"--records_root_dir={root}"]
    outcome = spawn_entry("train", *flags, cwd=tmp_path / "here", first=without_tensorflow)
    assert outcome.error.startswith("TensorFlow is not installed: pip install 'alfa_md[tf]', or in a clone scripts/")
    assert list((tmp_path / "here").iterdir()) == []


def test_training_in_a_process_of_its_own_writes_nothing_to_stderr(tmp_path, root):
    outcome = spawn_entry("train", *bindings(), f"--records_root_dir={root}", "--run_dir=a/run", cwd=tmp_path)
    assert (outcome.code, outcome.err) == (0, "")
    assert f"Records: {root}" in outcome.out and "Run directory: a/run" in outcome.out
    assert {"config.gin", "run.json", "metrics.jsonl"} <= contents(tmp_path / "a" / "run").keys()


def test_the_saved_configuration_trains_the_same_learner(tmp_path, root, trained):
    flags = [f"--gin_config={trained / 'config.gin'}", f"--records_root_dir={root}", "--run_dir=again"]
    assert run_entry("train", *flags, cwd=tmp_path).code == 0
    assert differences((trained / "config.gin").read_text(), (tmp_path / "again" / "config.gin").read_text()) == []
    runs = (trained, tmp_path / "again")
    first, second = (load_checkpoint(run / "checkpoints" / "last.pt")["learner"] for run in runs)
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_training_goes_to_a_folder_named_after_files_and_seed(tmp_path, root):
    outcome = run_entry("train", *bindings(), f"--records_root_dir={root}", "--seed=3", cwd=tmp_path)
    assert outcome.code == 0
    assert (tmp_path / "runs/proto_maml_alfa+quickstart/seed3/checkpoints/best.pt").is_file()


def test_several_seeds_have_a_run_each_and_those_done_are_left(tmp_path, root, monkeypatch):
    flags = [*bindings("train.keep_best = 2"), f"--records_root_dir={root}", "--run_dir=runs"]
    assert run_entry("train", *flags, "--seeds=0", cwd=tmp_path).code == 0
    done = contents(tmp_path / "runs" / "seed0" / "checkpoints")
    monkeypatch.setattr(step, "accumulate_gradients", lambda *arguments: pytest.fail("seed 0 is trained again"))
    assert run_entry("train", *flags, "--seeds=0", cwd=tmp_path).code == 0
    monkeypatch.undo()
    outcome = run_entry("train", *flags, "--seeds=0,2", cwd=tmp_path)
    assert outcome.code == 0
    assert re.findall(r"^Run directory: (\S+)$", outcome.out, re.MULTILINE) == ["runs/seed0", "runs/seed2"]
    assert contents(tmp_path / "runs" / "seed0" / "checkpoints") == done
    assert [RunDirectory(tmp_path / "runs" / name).facts()["seed"] for name in ("seed0", "seed2")] == [0, 2]
    assert sorted(folder.name for folder in (tmp_path / "runs").iterdir()) == ["seed0", "seed2"]


def test_the_folders_of_several_seeds_are_named_after_the_files(tmp_path, root):
    outcome = run_entry("train", *bindings(), f"--records_root_dir={root}", "--seeds=5", cwd=tmp_path)
    assert outcome.code == 0
    assert (tmp_path / "runs/proto_maml_alfa+quickstart/seed5/checkpoints/best.pt").is_file()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--seed=0", "--seeds=0,1"], "--seed and --seeds exclude each other; give one of them"),
        (["--seeds=0,-1"], "--seeds=0,-1: give whole numbers separated by commas, such as 0,1,2"),
    ],
)
def test_seeds_that_are_none(refused, flags, message):
    assert refused("train", *flags) == message


def test_an_interruption_ends_the_whole_command(tmp_path, root, monkeypatch):
    """Interrupted in the first update of the first seed; the other seeds are not started."""
    backward = step.accumulate_gradients

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        return backward(*arguments)

    monkeypatch.setattr(step, "accumulate_gradients", interrupted)
    flags = [*bindings("train.num_updates = 3"), f"--records_root_dir={root}", "--run_dir=runs", "--seeds=0,1"]
    assert run_entry("train", *flags, cwd=tmp_path).code == 128 + signal.SIGTERM
    assert load_checkpoint(tmp_path / "runs" / "seed0" / "checkpoints" / "last.pt")["step"] == 1
    assert [folder.name for folder in (tmp_path / "runs").iterdir()] == ["seed0"]


def test_a_learner_without_updates_is_validated_kept_and_evaluated(tmp_path, root):
    flags = [*bindings("train.num_updates = 0"), f"--records_root_dir={root}", "--run_dir=run"]
    outcome = run_entry("train", *flags, cwd=tmp_path)
    assert outcome.code == 0
    assert "train.num_updates = 0: GradientLearner is validated and kept as it starts, untrained" in outcome.out
    assert "0 updates done; best validation accuracy " in outcome.out
    flags = ["--run_dir=run", "--sources=omniglot", "--num_episodes=2"]
    assert run_entry("evaluate", *flags, cwd=tmp_path).code == 0
    results = json.loads((tmp_path / "run" / "results" / "test.json").read_text())
    assert results["protocol"]["updates"] == 0 and results["sources"]["omniglot"]["episodes"] == 2


def test_a_learner_with_nothing_to_train(refused, tmp_path):
    frozen = ("initialization = @frozen", "rule = @sgd", "head = @ZeroHead()")
    error = refused("train", *(f"--gin_bindings=GradientLearner.{line}" for line in frozen), "--run_dir=new")
    assert error == "GradientLearner has nothing to train; train.num_updates = 0 keeps it as it starts"
    assert not (tmp_path / "new").exists()
