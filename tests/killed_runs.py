"""Training runs that kill themselves at defined points, in processes of their own."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import torch

from alfa_md.system.progress import CONSOLE
from tests.noise import noise_experiment, train_on_noise

NUM_UPDATES = 24
CONTEXT = multiprocessing.get_context("forkserver")  # imports once, then starts a process in milliseconds
CONTEXT.set_forkserver_preload(["tests.killed_runs"])


def train(folder: Path) -> None:
    """Trains to the end."""
    _train_with(folder, lambda index, episode: episode)


def started(target: Callable, *arguments: object):
    """Starts a process that runs target(*arguments)."""
    process = CONTEXT.Process(target=target, args=arguments)
    process.start()
    return process


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_training(folder: Path) -> None:
    """Killed while an episode is prefetched."""
    _train_with(folder, lambda index, episode: die() if index == 13 else episode)


def die_in_validation(folder: Path) -> None:
    """Killed between the two validation episodes after update 8."""
    from tests import noise

    calls = []
    drawn = noise.NoiseSource.episode

    def episode(self, index):
        if self.split == "valid" and index == 1:
            calls.append(index)
            if len(calls) == 4:
                die()
        return drawn(self, index)

    noise.NoiseSource.episode = episode
    train(folder)


def die_in_writing(folder: Path) -> None:
    """Killed within the second write of `last`."""
    save, saves = torch.save, []

    def half(content, file):
        saves.append(file.name)
        if sum("last" in str(name) for name in saves) == 2:
            file.write(b"half a checkpoint")
            file.flush()
            die()
        save(content, file)

    torch.save = half
    train(folder)


def die_between_renames(folder: Path) -> None:
    """Killed between the renaming of the old and of the new checkpoint."""
    replace, moved = os.replace, []

    def once(source, target):
        replace(source, target)
        if Path(target).name == "previous.pt":
            moved.append(target)
            if len(moved) == 2:
                die()

    os.replace = once
    train(folder)


def die_before_a_removal(folder: Path) -> None:
    """Killed after writing a better checkpoint and the ranking, before removing the worse checkpoint."""
    unlink, removed = Path.unlink, []

    def last(self, missing_ok=False):
        if self.parent.name == "top":
            removed.append(self)
            if len(removed) == 2:
                die()
        unlink(self, missing_ok)

    Path.unlink = last
    train(folder)


def die_in_a_line(folder: Path) -> None:
    """Killed within the write of a metrics record."""
    from alfa_md.training.metrics_log import MetricsLog

    write = MetricsLog.write

    def half(self, step, group, **values):
        if step == 11:
            self.file.write('{"step": 11, "group": "tr')
            self.file.flush()
            die()
        write(self, step, group, **values)

    MetricsLog.write = half
    train(folder)


def said(folder: Path) -> str:
    """The output of the runs in a folder."""
    return folder.with_suffix(".said").read_text()


def _train_with(folder: Path, change: Callable) -> None:
    torch.set_num_threads(1)
    CONSOLE.file = open(folder.with_suffix(".said"), "a", buffering=1)
    train_on_noise(folder, noise_experiment(change=change), num_updates=NUM_UPDATES, checkpoint_every=3, keep_best=2)


DEATHS = (die_in_training, die_in_validation, die_in_writing, die_between_renames, die_before_a_removal, die_in_a_line)
