"""`torchrun -m alfa_md.train` and `-m alfa_md.evaluate`: two processes share a run directory, with equal results."""

import json
import os
import subprocess
import sys

from alfa_md.experiment.checkpoint import load_checkpoint
from tests.entries.harness import bindings, copied, needs_tensorflow, run_entry
from tests.shared import ROOT

pytestmark = needs_tensorflow


def torchrun(cwd, *arguments: object) -> str:
    """The output of two processes; asserts success."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    line = [*command, *map(str, arguments)]
    done = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_training_then_evaluation(tmp_path, root, trained):
    flags = [*bindings("train.episodes_per_step = 2"), f"--records_root_dir={root}"]
    said = torchrun(tmp_path, "alfa_md.train", *flags, "--run_dir=two")
    assert said.count("Run directory: two") == 1
    lines = (tmp_path / "two" / "metrics.jsonl").read_text().splitlines()
    assert load_checkpoint(tmp_path / "two" / "checkpoints" / "last.pt")["step"] == 2
    assert run_entry("train", *flags, "--run_dir=one", cwd=tmp_path).code == 0
    assert len((tmp_path / "one" / "metrics.jsonl").read_text().splitlines()) == len(lines)
    again = run_entry("train", *flags, "--run_dir=two", cwd=tmp_path)
    assert again.code == 0 and "2 updates done" in again.out

    runs = [copied(trained, tmp_path / name) for name in ("by_one", "by_two")]
    flags = [f"--records_root_dir={root}", "--sources=ilsvrc_2012,omniglot", "--num_episodes=5"]
    assert run_entry("evaluate", f"--run_dir={runs[0]}", *flags, cwd=tmp_path).code == 0
    said = torchrun(tmp_path, "alfa_md.evaluate", f"--run_dir={runs[1]}", *flags)
    assert said.count("Results: ") == 1
    one, two = (json.loads((run / "results" / "test.json").read_text()) for run in runs)
    assert one == two
