"""`python -m alfa_md.evaluate`: a run without a checkpoint."""

from tests.entries.harness import needs_tensorflow

pytestmark = needs_tensorflow


def test_evaluation_before_training(refused, tmp_path):
    refused("train", "--gin_bindings=INNER_RATE = 1e30", "--run_dir=new")
    error = refused("evaluate", "--run_dir=new")
    assert error == "checkpoint new/checkpoints/best.pt does not exist; train first, or name another"
