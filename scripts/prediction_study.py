"""The study of predictions: learners trained on a sample of mini-ImageNet, adapted to pictures of other sources.

`DATA` is a folder of archives of encoded images (`scripts/sample_archives.py`): `mini_imagenet_subset.npz` for
training, `grocery_subset.npz`, `satellite_subset.npz` and `cub_birds_subset.npz` for the draws. A run begins with a
pretraining, one for all variants of a seed.
"""

import json
from collections.abc import Mapping
from dataclasses import astuple
from itertools import product
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from alfa_md.data.fixed_way import FixedWay
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.system.files import write_text
from alfa_md.system.text_files import read_json
from scripts.sample_archives import unpack_archive
from scripts.study import Study, Variant, run_logged

TRAINING, RECORDS = "mini_imagenet", "ilsvrc_2012"  # the archive, and the source that its records are
SOURCES = {"grocery": "grocery", "satellite": "satellite", "cu_birds": "cub_birds"}  # -> archive
WAYS = {5: FixedWay(5, 5, 10), 20: FixedWay(20, 5, 5)}
NUM_DRAWS = 100
PRETRAIN = "pretrain"
preparation = Lock()  # of pictures, records and the pretraining, which all variants share


class PredictionStudy(NamedTuple):
    """Variants by name, trained after the variant `pretrain`; `data` is the placeholder of DATA in commands."""

    name: str
    variants: Mapping[str, Variant]
    pretraining: Variant
    data: str = "DATA"

    def measure(self, variant: str, seed: int, runs: Path, data: str, store: Path) -> None:
        """Trains a variant and stores its accuracies on the draws of every source and way that are not stored yet.

        Raises UserError with the last line of the log if a command fails, and for a missing archive.
        """
        folder = runs / self.name
        missing = [
            (source, way, file)
            for way, source in product(WAYS, SOURCES)
            if not (file := self.file(store, variant, source, way, seed)).exists()
        ]
        if not missing:
            return
        run_dir = self.train(variant, seed, folder, Path(data))
        for source, way, file in missing:
            result = self.result(variant, seed, run_dir, folder / "pictures" / source, way)
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, json.dumps(result) + "\n")

    def file(self, store: Path, variant: str, source: str, way: int, seed: int) -> Path:
        """The file of a result."""
        return store / self.name / f"{variant}-{source}-{way}-way-seed{seed}.json"

    def train(self, variant: str, seed: int, folder: Path, data: Path) -> Path:
        """Trains a variant after its pretraining, unless done before; returns the run directory."""
        with preparation:
            pretrained = self.pretrain(seed, folder, data)
        run_dir = folder / f"{variant}-seed{seed}"
        words = self.training().train_command(variant, str(run_dir), seed, str(folder / "records"))
        words.append(f"--gin_bindings=PRETRAINED = {str(pretrained)!r}")
        run_logged(words, Path(f"{run_dir}.log"), f"{variant}, seed {seed}")
        return run_dir

    def pretrain(self, seed: int, folder: Path, data: Path) -> Path:
        """Unpacks all pictures, converts those to train on and pretrains, unless done; returns the run directory."""
        for source, archive in {RECORDS: TRAINING, **SOURCES}.items():
            unpack_archive(data / f"{archive}_subset.npz", folder / "pictures" / source)
        if not (folder / "records" / RECORDS / "dataset_spec.json").exists():
            words = ["-m", "alfa_md.convert", "folder", f"--source_dir={folder / 'pictures' / RECORDS}"]
            words += [f"--records_root_dir={folder / 'records'}", "--workers=1"]
            run_logged(words, folder / "convert.log", "convert")
        run_dir = folder / f"{PRETRAIN}-seed{seed}"
        words = self.training().train_command(PRETRAIN, str(run_dir), seed, str(folder / "records"))
        run_logged(words, Path(f"{run_dir}.log"), f"{PRETRAIN}, seed {seed}")
        return run_dir

    def training(self) -> Study:
        """The pretraining and the variants as a study, whose commands train them."""
        return Study(self.name, {PRETRAIN: self.pretraining, **self.variants}, self.data)

    def result(self, variant: str, seed: int, run_dir: Path, pictures: Path, way: int) -> dict:
        """The stored result of a variant on one source and way: the accuracies on every draw, and the conditions."""
        sampling, out = WAYS[way], run_dir / f"draws-{pictures.name}-{way}.json"
        if not out.exists():
            words = ["-m", "scripts.prediction_draws", run_dir, pictures, *astuple(sampling), 0, NUM_DRAWS, out]
            run_logged(list(map(str, words)), Path(f"{run_dir}.log"), f"{variant}, seed {seed}, {pictures.name}")
        measured, facts = read_json(out), RunDirectory(run_dir).facts()
        return {
            "variant": variant,
            "seed": seed,
            "source": pictures.name,
            "way": way,
            "shots": sampling.shots,
            "queries": sampling.queries,
            **measured,
            "training_cpu_seconds": sum(
                training_seconds(run_dir.with_name(f"{name}-seed{seed}")) for name in (PRETRAIN, variant)
            ),
            "bindings": list(self.variants[variant].bindings),
            "machine": facts["machine"],
            "torch": facts["torch"],
        }


def training_seconds(run_dir: Path) -> float:
    """The CPU seconds of a training, 0 without an update."""
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text("utf-8").splitlines()]
    return max((line.get("cpu_seconds", 0.0) for line in lines), default=0.0)
