"""A build of this project, in a process of its own that measures on request."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from alfa_md.data.paths import CACHE_VARIABLE
from alfa_md.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
WORKER = ROOT / "benchmarks" / "build_worker.py"


class Build:
    """The package in a checkout, run by `build_worker.py` with a cache of its own; a context manager.

    Raises UserError if the process cannot import the package, or the checkout lacks something that a case needs.
    """

    def __init__(self, checkout: Path, device: str = "cpu"):
        self.checkout, self.cache = checkout.resolve(), TemporaryDirectory()
        environment = {"PYTHONPATH": str(self.checkout), "OMP_NUM_THREADS": "1", CACHE_VARIABLE: self.cache.name}
        self.errors = TemporaryFile()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors, "encoding": "utf-8"}
        command = [sys.executable, str(WORKER), device]
        self.process = subprocess.Popen(command, cwd=self.checkout, env=os.environ | environment, **pipes)
        found = Path(self.answer()["package"]).resolve()
        if found != self.checkout / "alfa_md" / "__init__.py":
            self.__exit__()
            raise UserError(f"{checkout}: Python imports {found} instead; uninstall alfa_md or use another environment")

    def __enter__(self) -> "Build":
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()
        self.cache.cleanup()

    @property
    def name(self) -> str:
        """The commit, with `-dirty` after it if files were changed; the folder if it has no history."""
        command = ["git", "-C", str(self.checkout), "describe", "--always", "--dirty", "--exclude=*"]
        try:
            done = subprocess.run(command, capture_output=True, encoding="utf-8")
        except OSError:  # no git
            return self.checkout.name
        return done.stdout.strip() if (self.checkout / ".git").exists() and not done.returncode else self.checkout.name

    def prepare(self, case: str, plan: dict) -> None:
        """Makes the parts of a case, without running it."""
        self.ask({"case": case, "plan": plan})

    def turn(self, case: str) -> tuple[float, dict[str, float]]:
        """Seconds for one task or image of a prepared case, and numbers that any build should find."""
        answer = self.ask({"case": case})
        return answer["seconds"], answer["numbers"]

    def ask(self, request: dict) -> dict:
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # `answer` reports what ended the process
        answer = self.answer()
        if "lacks" in answer:
            raise UserError(f"{self.checkout}: this checkout cannot run '{request['case']}': {answer['lacks']}")
        return answer

    def answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            words = self.errors.read().decode(errors="replace").strip().splitlines()
            raise UserError(f"{self.checkout}: its process ended: {words[-1] if words else self.process.returncode}")
        return json.loads(line)


def require_checkout(folder: Path) -> None:
    """Raises UserError unless the folder has the package."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; give a checkout of this project, e.g. of git worktree add")
    if not (folder / "alfa_md" / "__init__.py").is_file():
        raise UserError(f"{folder}: not a checkout of this project, alfa_md/__init__.py is missing")
