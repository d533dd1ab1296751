"""Build the miniature in a draft folder, put it in its place in one step, and tell whether it is still intact."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

import alfa_md
from alfa_md.data.miniature.sources import miniature_sources
from alfa_md.data.spec import DatasetSpec, HierarchicalSpec, save_spec

VERSION = 1  # raise it with every change of what is drawn
MANIFEST = "manifest.json"
MAX_WORKERS = 8


def build_miniature(root: Path, seed: int, workers: int | None = None, names: Sequence[str] | None = None) -> None:
    """Draw the ten sources, or those in `names`, under `root`, replacing a damaged copy.

    Everything is drawn in a sibling folder and renamed when complete, so no other process sees half of it; where
    an intact copy has appeared meanwhile, that copy stays. The bytes depend on `seed` only, not on the number of
    drawing processes `workers` (default: one a core).
    Raises OSError when the folder cannot be written and RuntimeError when a worker fails.
    """
    draft = root.with_name(f".{root.name}.{uuid.uuid4().hex}")
    draft.mkdir(parents=True)
    try:
        names = tuple(names or miniature_sources())
        for name in names:
            write_spec(miniature_sources()[name].spec, draft / name)
        total = sum(len(miniature_sources()[name].generators) for name in names)
        finished = run_workers(draft, seed, workers or min(MAX_WORKERS, available_cores()), names)
        for _ in track(finished, "drawing the embedded data", total=total, console=Console(stderr=True)):
            pass
        manifest = {"version": VERSION, "seed": seed, "files": checksums(draft)}
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=2))
        move_into_place(draft, root, seed)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_spec(spec: DatasetSpec, directory: Path) -> None:
    """Write the specification, and for a hierarchical one also the image counts of its leaves."""
    save_spec(spec, directory)
    if isinstance(spec, HierarchicalSpec):
        counts = dict(zip(spec.class_names, spec.images_per_class, strict=True))
        (directory / "num_leaf_images.json").write_text(json.dumps(counts, indent=2))


def available_cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_workers(root: Path, seed: int, workers: int, names: Sequence[str]) -> Iterator[str]:
    """Run the workers; yields a line for every class that is done.

    They are plain subprocesses: a process pool would import or fork the caller's main module, which may be a notebook
    or hold threads.
    """
    paths = [str(Path(alfa_md.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-m", "alfa_md.data.miniature.worker", str(root), str(seed)]
    read_end, write_end = os.pipe()  # shared: lines this short are written whole
    started = []
    try:
        with os.fdopen(read_end) as lines:
            try:
                for number in range(workers):
                    words = [*command, str(number), str(workers), *names]
                    started.append(subprocess.Popen(words, stdout=write_end, env=environment))
            finally:
                os.close(write_end)
            yield from lines
        if any(worker.wait() for worker in started):
            raise RuntimeError(f"a process that draws the miniature under {root.parent} failed; its message is above")
    finally:
        for worker in started:
            worker.kill()
            worker.wait()


def checksums(root: Path) -> dict[str, str]:
    """The sha256 of every file under `root` by its relative path."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def is_intact(root: Path, seed: int) -> bool:
    """Whether `root` holds the miniature of `seed`, every file with the checksum that its manifest states."""
    try:
        manifest = json.loads((root / MANIFEST).read_bytes())
        found = {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return manifest == {"version": VERSION, "seed": seed, "files": found}


def move_into_place(draft: Path, root: Path, seed: int) -> None:
    """Rename `draft` to `root`, unless an intact copy appeared there; a damaged one is moved out of the way first."""
    damaged = root.with_name(f"{draft.name}.damaged")
    try:
        if root.exists() and not is_intact(root, seed):
            os.rename(root, damaged)
        os.rename(draft, root)
    except OSError:
        if not is_intact(root, seed):  # else another process was first
            raise
    finally:
        shutil.rmtree(damaged, ignore_errors=True)
