"""The Slurm script with stubs for Slurm: requeued after its time limit, not after an error."""

import os
import signal
import subprocess
import time

import pytest

from tests.shared import ROOT

SCRIPT = ROOT / "scripts" / "slurm.sh"


@pytest.fixture
def job(tmp_path):
    """Starts the script with an `srun` of this text; scontrol writes down what it is told."""

    def start(srun: str) -> subprocess.Popen:
        for name, text in {"srun": srun, "scontrol": f'echo "$@" > {tmp_path}/told'}.items():
            (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
            (tmp_path / name).chmod(0o755)
        environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "17"}
        return subprocess.Popen(["bash", SCRIPT, "RUN", "RECORDS"], env=environment, cwd=tmp_path)

    return start


def test_the_time_limit_queues_the_job_again_when_the_run_has_saved_itself(tmp_path, job):
    saves = f"trap 'sleep 0.3; touch {tmp_path}/saved; exit 143' TERM"
    process = job(f"{saves}; touch {tmp_path}/up; while :; do sleep 0.05; done")
    deadline = time.monotonic() + 30
    while not (tmp_path / "up").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert (tmp_path / "told").read_text() == "requeue 17\n" and (tmp_path / "saved").exists()


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_run_that_ended_by_itself_is_not_queued_again(tmp_path, job, code):
    assert job(f'echo "$@" > {tmp_path}/command; exit {code}').wait(30) == code
    assert not (tmp_path / "told").exists()
    command = (tmp_path / "command").read_text()
    assert "-m alfa_md.train --gin_config=gin/proto_maml_alfa.gin" in command and "--run_dir=RUN" in command
