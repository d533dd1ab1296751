"""Studies: variants trained, evaluated on the same test episodes, and stored as one file per run."""

import json
import math
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alfa_md.errors import UserError
from alfa_md.evaluation.results_file import read_results
from alfa_md.system.files import write_text

ROOT = Path(__file__).resolve().parents[1]
NUM_EPISODES = 600
Runs = dict[str, dict[int, dict]]  # variant -> seed -> stored result


class Variant(NamedTuple):
    """A gin file with bindings to train, or the `run` of another variant to test under the bindings `test`.

    With `baseline`, a name of `alfa_md.evaluate --baselines`, that is tested on the backbone of `run`. The backbone
    starts from the run of the variant `pretrained`. Of the bindings in `grid`, each of which is trained, the one with
    the best validation is tested; `like` is the variant whose choice is bound here too. Measured for `seeds`.
    """

    config: str
    bindings: tuple[str, ...] = ()
    run: str = ""
    test: tuple[str, ...] = ()
    pretrained: str = ""
    grid: tuple[str, ...] = ()
    baseline: str = ""
    like: str = ""
    seeds: tuple[int, ...] = (0, 1, 2)

    @property
    def needs(self) -> tuple[str, ...]:
        """The variants that have to be measured before this one."""
        return tuple(name for name in (self.pretrained, self.run, self.like) if name)


class Study(NamedTuple):
    """Variants by name, each tested on `num_episodes` of every source.

    `data` is the placeholder of the data folder in commands, empty if no data is needed.
    """

    name: str
    variants: Mapping[str, Variant]
    data: str = ""
    num_episodes: int = NUM_EPISODES

    def train_command(
        self, variant: str, run_dir: str, seed: object, data: str | None, more: Sequence[str] = ()
    ) -> list[str]:
        """The arguments of `python` that train a variant, under its bindings and `more`."""
        own = self.variants[variant]
        options = [f"--gin_bindings={binding}" for binding in (*own.bindings, *more)]
        words = ["-m", "alfa_md.train", f"--gin_config={own.config}", *options, *data_flags(data)]
        return [*words, f"--run_dir={run_dir}", f"--seed={seed}", "--device=cpu"]

    def test_command(self, variant: str, run_dir: str, data: str | None) -> list[str]:
        """The arguments of `python` that evaluate a variant."""
        own = self.variants[variant]
        options = [f"--gin_bindings={binding}" for binding in own.test]
        named = [f"--name={variant}"] if options else []
        options += [f"--baselines={own.baseline}"] if own.baseline else []
        fixed = [f"--run_dir={run_dir}", f"--num_episodes={self.num_episodes}", *options, *named, *data_flags(data)]
        return ["-m", "alfa_md.evaluate", *fixed, "--device=cpu"]

    def measure(self, variant: str, seed: int, runs: Path, data: str | None, store: Path) -> None:
        """Trains and tests a variant on one thread and stores its result, unless it is already stored.

        Raises UserError with the last line of the log if a command fails.
        """
        stored = store / self.name / f"{variant}-seed{seed}.json"
        if stored.exists():
            return
        own, folder = self.variants[variant], runs / self.name
        taken = [self.choice(own.like, seed, store)] if own.like else []
        run_dirs = self.train(variant, seed, folder, data, taken)
        chosen = max(run_dirs, key=lambda binding: best_validation(run_dirs[binding])) if own.grid else ""
        run_dir = run_dirs[chosen]
        content = {"test_cpu_seconds": self.test(variant, seed, run_dir, data)} | self.result(variant, seed, run_dir)
        if own.grid:
            content["grid"] = {binding: best_validation(tried) for binding, tried in run_dirs.items()}
        content["bindings"] += [chosen] if own.grid else taken
        stored.parent.mkdir(parents=True, exist_ok=True)
        write_text(stored, json.dumps(content, allow_nan=False) + "\n")

    def choice(self, variant: str, seed: int, store: Path) -> str:
        """The binding that the grid of a measured variant chose. Raises UserError if it is not measured."""
        file = store / self.name / f"{variant}-seed{seed}.json"
        if not file.exists():
            raise UserError(f"{file} is missing, whose choice another variant takes; measure {variant} first")
        return read_stored(file)["bindings"][-1]

    def train(
        self, variant: str, seed: int, folder: Path, data: str | None, taken: Sequence[str] = ()
    ) -> dict[str, Path]:
        """Trains a variant under every binding of its grid; returns the run directories by binding, "" without one."""
        own = self.variants[variant]
        backbone = [f"PRETRAINED = '{folder / own.pretrained}-seed{seed}'"] if own.pretrained else []
        shared = [*backbone, *taken]
        folder.mkdir(parents=True, exist_ok=True)
        run_dirs: dict[str, Path] = {}
        for number, binding in enumerate(own.grid or [""]):
            run_dir = folder / f"{own.run or variant}{number if own.grid else ''}-seed{seed}"
            more = [*shared, binding] if binding else shared
            words = self.train_command(variant, str(run_dir), seed, data, more)
            run_logged(words, Path(f"{run_dir}.log"), f"{variant}, seed {seed}")
            run_dirs[binding] = run_dir
        return run_dirs

    def test(self, variant: str, seed: int, run_dir: Path, data: str | None) -> float | None:
        """Tests a variant; returns the CPU seconds, its choices included, None if it went on from an earlier test."""
        started = self.test_file(variant, run_dir).exists()
        if baseline := self.variants[variant].baseline:
            started |= any(run_dir.glob(f"results/choice/{baseline}-*"))
        words = self.test_command(variant, str(run_dir), data)
        seconds = run_logged(words, Path(f"{run_dir}.log"), f"{variant}, seed {seed}")
        return None if started else round(seconds, 1)

    def test_file(self, variant: str, run_dir: Path) -> Path:
        """The results file of a variant's test."""
        own = self.variants[variant]
        name = variant if own.test else own.baseline
        return run_dir / "results" / f"test{'-' + name if name else ''}.json"

    def result(self, variant: str, seed: int, run_dir: Path) -> dict:
        """The stored result of a run: scores, times and configuration. Raises UserError for the miniature's."""
        own = self.variants[variant]
        test = read_results(self.test_file(variant, run_dir))
        if test["protocol"]["data_kind"] == "miniature":
            raise UserError(f"{run_dir} was evaluated on the embedded miniature, which is no measurement; not stored")
        facts = json.loads((run_dir / "run.json").read_text("utf-8"))
        curve = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text("utf-8").splitlines()]
        unit = test["protocol"]["unit"]
        sources = {name: summarise_source(source) for name, source in test["sources"].items()}
        return {
            "variant": variant,
            "seed": seed,
            "updates": curve[-1]["step"],
            "cpu_seconds": curve[-1]["cpu_seconds"],
            "validation": [[line["step"], line[unit]] for line in curve if line["group"] == "validation"],
            "bindings": [*own.bindings, *own.test],
            **({"chosen": test["protocol"]["choice"]["chosen"]} if "choice" in test["protocol"] else {}),
            "config": test["protocol"]["config"],
            "machine": facts["machine"],
            "torch": facts["torch"],
            "sources": sources,
        }


def run_logged(words: list[str], log_file: Path, title: str) -> float:
    """Runs `python` with these arguments on one thread from the root, its output appended to `log_file`.

    Returns its CPU seconds. Raises UserError with `title` and the last line of the log if it fails.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with open(log_file, "a", encoding="utf-8") as log:
        process = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environment, stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
    if code:
        last = log_file.read_text("utf-8").rstrip().splitlines()[-1:]
        raise UserError(f"{title}: exit code {code}; the end of {log_file}: {''.join(last)}")
    return used.ru_utime + used.ru_stime


def best_validation(run_dir: Path) -> float:
    """The highest validation accuracy of a run, between 0 and 1."""
    lines = map(json.loads, (run_dir / "metrics.jsonl").read_text("utf-8").splitlines())
    return max(line["accuracy"] for line in lines if line["group"] == "validation")


def data_flags(data: str | None) -> list[str]:
    """The flag of the data folder, if there is one."""
    return [f"--records_root_dir={data}"] if data else []


def summarise_source(source: dict) -> dict:
    """Mean, interval, fingerprint and scores of all episodes, with four digits; null for an episode that diverged."""
    scores = [None if value is None else round(value, 4) for value in source["scores"]]
    return {key: source[key] for key in ("mean", "ci95", "fingerprint") if key in source} | {"scores": scores}


def load_results(folder: Path, source: str) -> Runs:
    """The stored results of a study on one test source; scores and means are NaN where episodes diverged.

    Raises UserError for a damaged file.
    """
    runs: Runs = defaultdict(dict)
    for path in sorted(folder.glob("*.json")):
        result = read_stored(path)
        if source in result["sources"]:
            runs[result["variant"]][result["seed"]] = result | result["sources"][source]
    return runs


def read_stored(path: Path) -> dict:
    """A stored result; scores and means are NaN where episodes diverged. Raises UserError for a damaged file."""
    try:
        result = json.loads(path.read_bytes())
        sources = {name: source | with_nan(source) for name, source in result["sources"].items()}
        if not {"variant", "seed"} <= result.keys():
            raise ValueError("neither variant nor seed")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no stored result; restore or remove it") from error
    return result | {"sources": sources}


def with_nan(source: dict) -> dict:
    """Mean, interval and scores with NaN for null; no mean leaves an episode out here."""
    scores = [math.nan if value is None else value for value in source["scores"]]
    known = source["ci95"] is not None and not any(map(math.isnan, scores))
    return {"mean": source["mean"] if known else math.nan, "ci95": source["ci95"] if known else math.nan} | {
        "scores": scores
    }


def format_commands(study: Study, runs: Runs) -> str:
    """The commands that reproduce the runs."""
    test = f"`python -m alfa_md.evaluate --run_dir=RUN --num_episodes={study.num_episodes}`"
    lines = [f"Commands, each followed by {test}:", "", "```"]
    for variant, seeds in sorted(runs.items()):
        own, numbers = study.variants[variant], "|".join(map(str, sorted(seeds)))
        if own.run:
            words = study.test_command(variant, f"RUN_OF_{own.run}", study.data)
        else:
            more = [f"PRETRAINED = 'RUN_OF_{own.pretrained}'"] if own.pretrained else []
            words = study.train_command(variant, "RUN", numbers, study.data, more)
        tried = f", with each of {'; '.join(own.grid)}: the best by validation is tested" if own.grid else ""
        tried += f", with the binding that was chosen for {own.like}" if own.like else ""
        lines.append(f"# {variant}{tried}\n" + " ".join(["python", *map(shell_quote, words)]))
    return "\n".join([*lines, "```", ""])


def shell_quote(word: str) -> str:
    """A flag with its value quoted if a shell would split or expand it."""
    flag, equals, value = word.partition("=")
    quote = '"' if "'" in value else "'"
    return f"{flag}={quote}{value}{quote}" if equals and any(c in value for c in " @()%|") else word
