"""Building of the miniature in a temporary folder, atomic move into place, and verification by checksums."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import alfa_md
from alfa_md.data.miniature.sources import miniature_sources
from alfa_md.data.spec import DatasetSpec, HierarchicalSpec, save_spec
from alfa_md.system.drafts import draft_folder
from alfa_md.system.interruption import without_ctrl_c
from alfa_md.system.progress import progress_bar

VERSION = 1  # increment with every change of the images
MANIFEST = "manifest.json"
MAX_WORKERS = 8


def build_miniature(root: Path, seed: int, workers: int | None = None, names: Sequence[str] | None = None) -> None:
    """Draw the ten sources, or those in `names`, under `root`, replacing a damaged copy.

    Files are written to a sibling folder that is renamed when complete, so other processes never see a partial copy; an
    intact copy that another process has created meanwhile is kept. The bytes depend on `seed` only, not on the number
    of worker processes (default: one per core).
    Raises OSError if the folder cannot be written and RuntimeError if a worker fails.
    """
    with draft_folder(root) as draft:
        names = tuple(names or miniature_sources())
        for name in names:
            write_spec(miniature_sources()[name].spec, draft / name)
        total = sum(len(miniature_sources()[name].generators) for name in names)
        finished = run_workers(draft, seed, workers or min(MAX_WORKERS, available_cores()), names)
        for _ in progress_bar(finished, "drawing the embedded data", total):
            pass
        manifest = {"version": VERSION, "seed": seed, "files": checksums(draft)}
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=2), "utf-8")
        move_into_place(draft, root, seed)


def write_spec(spec: DatasetSpec, directory: Path) -> None:
    """Write the specification, and for a hierarchical one also `num_leaf_images.json`."""
    save_spec(spec, directory)
    if isinstance(spec, HierarchicalSpec):
        counts = dict(zip(spec.class_names, spec.images_per_class, strict=True))
        (directory / "num_leaf_images.json").write_text(json.dumps(counts, indent=2), "utf-8")


def available_cores() -> int:
    """Number of CPU cores available to this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_workers(root: Path, seed: int, workers: int, names: Sequence[str]) -> Iterator[str]:
    """Run the workers; yields one line for every finished class.

    Plain subprocesses: a process pool would import or fork the caller's main module, which may be a notebook or have
    threads.
    """
    paths = [str(Path(alfa_md.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-m", "alfa_md.data.miniature.worker", str(root), str(seed)]
    read_end, write_end = os.pipe()  # shared by the workers: writes of short lines are atomic
    started = []
    try:
        with os.fdopen(read_end, encoding="utf-8") as lines:
            try:
                for number in range(workers):
                    words = [*command, str(number), str(workers), *names]
                    with without_ctrl_c():
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
    """SHA-256 of every file under `root` by relative path."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def is_intact(root: Path, seed: int) -> bool:
    """True if `root` has the miniature of `seed` and every file has the checksum in the manifest."""
    try:
        manifest = json.loads((root / MANIFEST).read_bytes())
        found = {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return manifest == {"version": VERSION, "seed": seed, "files": found}


def move_into_place(draft: Path, root: Path, seed: int) -> None:
    """Rename `draft` to `root` unless an intact copy exists there; a damaged copy is removed."""
    with draft_folder(root) as aside:
        try:
            if root.exists() and not is_intact(root, seed):
                os.rename(root, aside / root.name)
            os.rename(draft, root)
        except OSError:
            if not is_intact(root, seed):  # else another process was first
                raise
