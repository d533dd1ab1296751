"""Measures the Meta-Dataset learners on real Omniglot and writes RESULTS.md from what it measured.

    python scripts/omniglot_results.py --records_root_dir=RECORDS [--workers=2]      trains, evaluates, then writes
    python scripts/omniglot_results.py                                               writes from results/omniglot/

Finished runs are not run again. Every run uses one thread; results/omniglot/ holds one file a run.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.results_page import write_results  # noqa: E402

STORE = ROOT / "results" / "omniglot"
CONFIG = "gin/omniglot_proto_maml_alfa.gin"
ZERO_HEAD = ["GradientLearner.head = @ZeroHead()", "INNER_RATE = 0.1"]
SGD = ["GradientLearner.rule = @sgd"]
VARIANTS = {  # name: (bindings beside CONFIG, updates)
    "ALFA": ([], 600),
    "control": (["GradientLearner.rule = @lslr_decay"], 600),
    "proto-maml-0.01": ([*SGD, "INNER_RATE = 0.01"], 600),
    "proto-maml-0.03": ([*SGD, "INNER_RATE = 0.03"], 600),
    "proto-maml-0.1": ([*SGD, "INNER_RATE = 0.1"], 600),
    "prototypical": (["Experiment.learner = @PrototypicalLearner()"], 600),
    "maml": ([*ZERO_HEAD, *SGD], 600),
    "maml-alfa": (ZERO_HEAD, 600),
    "cpu-proto-maml": ([*SGD, "INNER_RATE = 0.01"], 630),  # the best rate for about the CPU time of ALFA
    "ALFA-long": ([], 3000),
    "prototypical-long": (["Experiment.learner = @PrototypicalLearner()"], 1500),
}


def bindings(variant: str) -> list[str]:
    """The gin bindings of a variant; the rate is halved at each quarter of the run."""
    own, updates = VARIANTS[variant]
    schedule = [f"train.num_updates = {updates}", f"step_decay.decay_every = {updates // 4}"]
    return [*own, *schedule, f"train.validate_every = {updates // 2}", "train.num_validation_episodes = 60"]


def train_command(variant: str, seed: int, runs: Path, records: str) -> list[str]:
    """The command that trains a variant."""
    options = [f"--gin_bindings={binding}" for binding in bindings(variant)]
    run_dir = runs / f"{variant}-seed{seed}"
    fixed = [f"--gin_config={CONFIG}", *options, f"--records_root_dir={records}", f"--run_dir={run_dir}"]
    return [sys.executable, "-m", "alfa_md.train", *fixed, f"--seed={seed}", "--device=cpu"]


def measure(variant: str, seed: int, runs: Path, records: str) -> None:
    """Trains and evaluates a variant unless its result is stored; stores it."""
    stored = STORE / f"{variant}-seed{seed}.json"
    if stored.exists():
        return
    run_dir = runs / f"{variant}-seed{seed}"
    run_dir.parent.mkdir(parents=True, exist_ok=True)
    evaluate = [sys.executable, "-m", "alfa_md.evaluate", f"--run_dir={run_dir}", "--num_episodes=600", "--device=cpu"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with open(f"{run_dir}.log", "w") as log:
        for command in (train_command(variant, seed, runs, records), evaluate):
            subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log, check=True)
    store(run_dir, variant, seed, stored)


def store(run_dir: Path, variant: str, seed: int, stored: Path) -> None:
    """Keeps what the table needs of a run: scores, times, what it was run with."""
    result = json.loads((run_dir / "results" / "test.json").read_text())
    curve = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    content = {
        "variant": variant,
        "seed": seed,
        "updates": VARIANTS[variant][1],
        "cpu_seconds": curve[-1]["cpu_seconds"],
        "validation": [[line["step"], line["accuracy"]] for line in curve if line["group"] == "validation"],
        "bindings": bindings(variant),
        "config": result["protocol"]["config"],
        "machine": json.loads((run_dir / "run.json").read_text())["machine"],
        "mean": result["sources"]["omniglot"]["mean"],
        "ci95": result["sources"]["omniglot"]["ci95"],
        "scores": [round(value, 4) for value in result["sources"]["omniglot"]["scores"]],
    }
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_text(json.dumps(content) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records_root_dir", help="records root that holds omniglot/; without it nothing is run")
    parser.add_argument("--runs_dir", default="runs/omniglot", type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--workers", default=2, type=int)
    options = parser.parse_args()
    if options.records_root_dir:
        jobs = [(v, int(s)) for s in options.seeds.split(",") for v in options.variants.split(",")]
        runs = options.runs_dir.resolve()
        with ThreadPoolExecutor(options.workers) as pool:
            list(pool.map(lambda job: measure(*job, runs, options.records_root_dir), jobs))
    write_results(ROOT / "results", ROOT / "RESULTS.md")


if __name__ == "__main__":
    main()
