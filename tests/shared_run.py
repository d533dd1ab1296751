"""The program of every process in tests/system/test_distributed.py; arguments are a folder and a function's name."""

import math
import os
import signal
import sys
from pathlib import Path

import torch

from alfa_md.errors import UserError
from alfa_md.evaluation.results import Results
from alfa_md.system.distributed import ProcessGroup, process_group
from alfa_md.training.step import outer_step
from tests.episodes import random_episode, small_learner
from tests.noise import CPU, NoiseSource, fresh_state, noise_experiment, noise_learner, train_on_noise

NUM_EPISODES = 5  # of one outer step: one process has three of them, the other two
TEST_EPISODES = 23  # more than a portion, and an odd number
STAMP = {"split": "test", "seed": 0, "sampling": None, "unit": "accuracy"}  # of results files


def meta_gradient(group: ProcessGroup) -> dict[str, torch.Tensor]:
    """The gradients, loss, score and new parameters of one outer step in float64."""
    state = fresh_state(small_learner())
    episodes = [random_episode(seed=seed) for seed in group.shard(range(NUM_EPISODES))]
    loss, score, _ = outer_step(state, episodes, math.inf, group)
    gradients = {f"gradient {name}": p.grad for name, p in state.learner.named_parameters() if p.grad is not None}
    return gradients | {"loss": torch.tensor(loss), "score": torch.tensor(score)} | state.learner.state_dict()


def everything(folder: Path, group: ProcessGroup) -> None:
    """One outer step, a training run and an evaluation."""
    content = meta_gradient(group)
    torch.save(content, folder / f"step-{group.size}-{group.rank}.pt")
    run = folder / f"run-{group.size}"
    train_on_noise(run, noise_experiment(), group=group, episodes_per_step=NUM_EPISODES)
    results = Results(folder / f"test-{group.size}.json", STAMP, group)
    assert results.measure(noise_learner(), NoiseSource(), TEST_EPISODES, CPU)
    idle(folder, group)
    assert len(results.sources["noise"]["scores"]) == TEST_EPISODES


def lost(folder: Path, group: ProcessGroup) -> None:
    """The second process is killed while it prefetches for the sixth update."""

    def killed(index, episode):
        if group.rank == 1 and index // NUM_EPISODES == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return episode

    train_on_noise(folder / "lost", noise_experiment(change=killed), group=group, episodes_per_step=NUM_EPISODES)


def idle(folder: Path, group: ProcessGroup) -> None:
    """A run with fewer episodes per outer step than processes."""
    train_on_noise(folder / f"idle-{group.size}", noise_experiment(), group=group, episodes_per_step=1)


if __name__ == "__main__":
    torch.set_num_threads(1)
    with process_group() as processes:
        try:
            globals()[sys.argv[2]](Path(sys.argv[1]), processes)
        except UserError as error:
            sys.exit(f"error: {str(error).splitlines()[0]}")
