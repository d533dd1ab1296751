"""The benchmark of several processes: messages are those of a training, and the tables have a row for each case."""

import subprocess
import sys
from collections import Counter

import pytest

from alfa_md.learners.base import Learner
from alfa_md.system import distributed
from benchmarks.cases import CASES
from benchmarks.communication import Messages, one_process, shipped, update_messages
from benchmarks.distributed import require_cores
from benchmarks.distributed_worker import CASES as UPDATES
from benchmarks.scaling import PAGE, episode_sizes, gpu_seconds, waiting_table
from scripts.errors import one_line_errors
from tests.entries.harness import run_entry
from tests.shared import ROOT


def expected(learner: Learner) -> list[int]:
    """Bytes of the number of episodes, of the gradients with a flag each, of loss and score, of a request to stop."""
    sizes = [parameter.numel() for parameter in learner.parameters()]
    return [8, 4 * (sum(sizes) + len(sizes)), 16, 8]


def test_messages_of_an_update_are_those_of_a_training(tmp_path, monkeypatch):
    learner = CASES["4-CONV, 84 px, 5-way 1-shot, 5 steps"].learner(first_order=True, plain=False)
    with one_process() as group:
        assert update_messages(learner, group) == expected(learner)
    monkeypatch.setattr(distributed, "process_group", one_process)
    found = []
    for number in (2, 5):
        bound = (f"train.num_updates = {number}", "train.num_validation_episodes = 1", "train.log_every = 1")
        flags = ["--gin_config=gin/paper/table8_alfa_maml.gin", *(f"--gin_bindings={line}" for line in bound)]
        with Messages() as messages:
            assert run_entry("train", *flags, f"--run_dir={number}", cwd=tmp_path).code == 0
        found.append(Counter(messages.bytes))
    sizes = Counter(found[1] - found[0])
    gradients = max(sizes)
    assert sizes == {8: 6, 16: 3, gradients: 3} and gradients > 4 * 1000


def test_every_main_file_is_counted():
    files = {names[0] for names in shipped()}
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "gin").glob("*.gin")} - files == {
        "gin/quickstart.gin"
    }


def test_times_of_one_gpu_are_read_from_the_page():
    found = gpu_seconds(PAGE.read_text("utf-8"))
    assert found["ResNet-18, 126 px, 35-way 10-shot, 5 queries a class, 6 steps, prototypes"] == 0.217
    assert len(found) == 5 and all(0.001 < seconds < 1 for seconds in found.values())


def test_waiting_is_less_for_more_episodes():
    sizes = episode_sizes(100)
    assert sizes.min() > 0 and sizes.max() <= 6 * 500 + 10 * 50
    shares = [float(line.split(" | ")[1].rstrip(" |")) for line in waiting_table().splitlines()[4:]]
    assert 0.5 < shares[0] < shares[-1] < 1


@pytest.mark.parametrize(("rounds", "cores", "line"), [(0, {0, 1}, "--rounds=0: give"), (1, {1}, "2 processes need a")])
def test_bad_input(rounds, cores, line, monkeypatch, capsys):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: cores)
    with pytest.raises(SystemExit) as end, one_line_errors():
        require_cores(rounds)
    written = capsys.readouterr().err
    assert end.value.code == 2 and written.startswith(f"error: {line}") and written.count("\n") == 1


@pytest.mark.slow
def test_the_tables_of_several_processes(tmp_path):
    words = ["--rounds=1", "--cases=four episodes", f"--out={tmp_path / 'page.md'}"]
    command = [sys.executable, "-m", "benchmarks.distributed", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if "need a core each" in done.stderr:
        pytest.skip("two processes need two cores")
    assert done.returncode == 0, done.stderr[-2000:]
    page = (tmp_path / "page.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| four layers")]
    assert [row[0] for row in rows] == [name for name in UPDATES if "four episodes" in name]
    assert (
        all(float(cell) > 0 for cell in rows[0][1:]) and "| `maml` | ResNet18 | 11180736 | 4 | 44723196 | 32 |" in page
    )
