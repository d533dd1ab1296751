"""Soak test: a long run killed at random moments must end equal to an uninterrupted one, without memory growth.

    python scripts/soak.py --num_updates=6000 --kills=20      trains twice at quickstart size, then writes RESULTS.md
    python scripts/soak.py                                    writes RESULTS.md from results/soak.json

Both runs are done in parallel, one thread each. Memory is that of the uninterrupted run.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from alfa_md.experiment.run_directory import RunDirectory, environment  # noqa: E402
from alfa_md.system.files import write_json  # noqa: E402
from scripts import once  # noqa: E402
from scripts.results_page import write_results  # noqa: E402
from tests.equal_runs import assert_equal_runs  # noqa: E402

STORE = ROOT / "results" / "soak.json"
SECONDS = 5.0  # between two measurements of memory


def start(folder: Path, num_updates: int) -> subprocess.Popen:
    """Starts a quickstart-size training in a subprocess with one thread."""
    files = ["--gin_config=gin/proto_maml_alfa.gin", "--gin_config=gin/quickstart.gin"]
    command = [sys.executable, "-m", "alfa_md.train", *files, f"--gin_bindings=train.num_updates = {num_updates}"]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with open(f"{folder}.log", "a", encoding="utf-8") as log:
        return subprocess.Popen(
            [*command, f"--run_dir={folder}", "--device=cpu"], cwd=ROOT, env=one_thread, stdout=log, stderr=log
        )


def run_uninterrupted(folder: Path, num_updates: int) -> dict:
    """Runs without interruption; returns the minutes and the peak resident memory in MB of two quarters of the run."""
    began, process, memory = time.monotonic(), start(folder, num_updates), []
    while process.poll() is None:
        memory.append(resident_memory(process.pid))
        time.sleep(SECONDS)
    assert process.returncode == 0, Path(f"{folder}.log").read_text("utf-8")[-2000:]
    quarter = len(memory) // 4
    second, last = (max(memory[k * quarter : (k + 1) * quarter]) for k in (1, 3))  # the first quarter is warm-up
    return {"minutes": (time.monotonic() - began) / 60, "memory_second_quarter": second, "memory_last_quarter": last}


def resident_memory(pid: int) -> float:
    """The resident memory of a process in MB, 0 after it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def run_with_kills(folder: Path, num_updates: int, kills: int, minutes: float, seed: int = 0) -> list[int]:
    """The same run killed `kills` times, spread over `minutes`; returns the last recorded update at every kill."""
    rng, places = random.Random(seed), []
    for _ in range(kills):
        process = start(folder, num_updates)
        time.sleep(rng.uniform(0.0, 2.0) * 60 * minutes / (kills + 1))
        assert process.poll() is None, "the run ended before its last kill; give fewer --kills or a truer --minutes"
        process.kill()
        process.wait()
        places.append(last_update(folder))
    assert start(folder, num_updates).wait() == 0, Path(f"{folder}.log").read_text("utf-8")[-2000:]
    return places


def last_update(folder: Path) -> int:
    """The last update in a run's metrics log."""
    file = folder / "metrics.jsonl"
    lines = file.read_text("utf-8").splitlines(keepends=True) if file.exists() else []
    return max((json.loads(line)["step"] for line in lines if line.endswith("\n")), default=0)


def main() -> None:
    parser = once.make_parser(__doc__)
    parser.add_argument("--num_updates", type=int, help="without it nothing is run")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=120.0, help="what the run is expected to take")
    options = parser.parse_args()
    if options.num_updates:
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
            whole, broken = Path(folder) / "whole", Path(folder) / "killed"
            alone = pool.submit(run_uninterrupted, whole, options.num_updates)
            places = run_with_kills(broken, options.num_updates, options.kills, options.minutes)
            measured = alone.result() | {"updates": options.num_updates, "killed_after": places}
            assert_equal_runs(RunDirectory(whole), RunDirectory(broken))
        write_json(STORE, measured | {"machine": environment()["machine"], "torch": environment()["torch"]})
    write_results(ROOT / "results", ROOT)


if __name__ == "__main__":
    main()
