"""Run directories written by hand, for tests of their readers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import gin

from alfa_md.experiment import config
from alfa_md.experiment.definition import META_DATASET
from alfa_md.metrics import mean_ci

SAMPLING = {"min_ways": 5, "max_ways_upper_bound": 50}


def configuration(*files: str, bindings: Sequence[str] = ()) -> str:
    """The config of these gin files, as in a run's config.gin."""
    config.parse(files, bindings)
    try:
        return gin.config_str(max_line_length=120)
    finally:
        gin.clear_config()


def write_run(path: Path, text: str, **facts: object) -> Path:
    """Writes a run directory without records."""
    (path / "results").mkdir(parents=True)
    (path / "config.gin").write_text(text)
    known = {"name": "proto_maml_alfa", "seed": 0, "data_root": "/records", "data_kind": "records"}
    (path / "run.json").write_text(json.dumps(known | {"machine": "x86_64, 2 cores", "command": "train"} | facts))
    return path


def write_metrics(path: Path, updates: int, every: int = 100, **more: float) -> None:
    """Writes a training record every `every` updates and a validation record for every fifth of them."""
    lines = []
    for step in range(every, updates + 1, every):
        time = {"seconds": 0.5 * step, "cpu_seconds": 0.25 * step}
        loss = 2 / (1 + step / 300) + 0.3 * (step // every % 3)
        lines.append({"step": step, "group": "train", "loss": loss, "accuracy": 1 - loss / 4} | more | time)
        if step % (5 * every) == 0:
            lines.append(
                {"step": step, "group": "validation", "accuracy": 0.8 - 0.3 * 0.5 ** (4 * step / updates), "ci95": 0.02}
                | time
            )
    (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_results(
    path: Path, stem: str, means: Mapping[str, float] | Sequence[float], episodes: int = 4, **protocol: object
) -> dict:
    """Writes a results file with these means (of the ten sources, or by name); returns its content."""
    means = means if isinstance(means, Mapping) else dict(zip(META_DATASET, means, strict=True))
    stamp = {"split": "test", "seed": 0, "sampling": SAMPLING, "data_kind": "records", "updates": 9, "unit": "accuracy"}
    stamp |= protocol
    sources = {}
    for name, mean in means.items():
        scores = [mean + (0.05 if number % 2 else -0.05) for number in range(episodes)]
        result = mean_ci(scores)
        record = {"mean": result.mean, "ci95": result.ci95, "episodes": result.n, "scores": scores}
        sources[name] = record | {"data": {"spec": f"spec of {name}", "image_size": 32}}
    content = {"protocol": stamp, "sources": sources}
    (path / "results" / f"{stem}.json").write_text(json.dumps(content))
    return content


def file_hash(path: Path) -> str:
    """The first 16 hex digits of a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
