"""`python -m alfa_md.evaluate`: runs, checkpoints, sources and files that are not there or damaged."""

import pytest

from tests.entries.harness import copied, needs_tensorflow

pytestmark = needs_tensorflow


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--run_dir=run", "--sources=omniglot,omniglott"],
            "--sources: unknown source omniglott; there are: ilsvrc_2012,",
        ),
        (["--run_dir=run", "--sources=,"], "--sources has an empty name; give all, or names separated by commas"),
        (["--run_dir=nowhere"], "nowhere is not a run directory (no config.gin and run.json); see --run_dir"),
        (["--run_dir=run/results"], "run/results is not a run directory"),
        ([], "--run_dir"),
        (
            ["--run_dir=run", "--checkpoint=other.pt"],
            "checkpoint other.pt does not exist; train first, or name another",
        ),
        (["--run_dir=run", "--checkpoint=run/config.gin"], "checkpoint run/config.gin cannot be read"),
        (["--run_dir=run", "--baselines=pixels"], "--baselines: unknown baseline pixels; there are: untrained, pixel"),
        (["--run_dir=run", "--split=tset"], "--split=tset: value should be one of <train|valid|test>"),
        (["--run_dir=run", "--num_episodes=0"], "--num_episodes=0"),
        (["--run_dir=run", "--records_root_dir=nowhere"], "nowhere does not exist; set --records_root_dir"),
    ],
)
def test_evaluation_of_what_is_not_there(refused, flags, message):
    assert message in refused("evaluate", *flags)


def test_evaluation_before_training(refused, tmp_path):
    refused("train", "--gin_bindings=INNER_RATE = 1e30", "--run_dir=new")
    error = refused("evaluate", "--run_dir=new")
    assert error == "checkpoint new/checkpoints/best.pt does not exist; train first, or name another with --checkpoint"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("run.json", "run/run.json is damaged"),
        ("checkpoints/best.pt", "checkpoint run/checkpoints/best.pt cannot be read"),
        ("results/test.json", "run/results/test.json is damaged"),
        ("config.gin", "gin: "),
    ],
)
def test_evaluation_of_a_damaged_run(refused, tmp_path, file, message):
    (tmp_path / "run" / file).write_bytes((tmp_path / "run" / file).read_bytes()[:600] + b"\n= {")
    assert message in refused("evaluate", "--run_dir=run")


def test_a_record_truncated_in_evaluation_keeps_all_results(refused, tmp_path, root):
    damaged = copied(root, tmp_path / "damaged")
    for file in damaged.glob("omniglot/*.tfrecords"):
        file.write_bytes(file.read_bytes()[:-3])
    error = refused("evaluate", "--run_dir=run", "--sources=omniglot", f"--records_root_dir={damaged}")
    assert "omniglot/" in error and "record 11 " in error and "is truncated" in error
