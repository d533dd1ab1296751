"""The study of predictions: learners trained on a sample of mini-ImageNet, adapted to pictures of other sources.

`DATA` is a folder of archives of encoded images (`scripts/sample_archives.py`): `mini_imagenet_subset.npz` for
training, `grocery_subset.npz`, `satellite_subset.npz` and `cub_birds_subset.npz` for the draws. A run begins with a
pretraining, one for all variants of a seed.
"""

import json
import time
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import NamedTuple

import gin
import torch

import alfa_md
from alfa_md.data.fixed_way import FixedWay
from alfa_md.experiment.picture_inputs import picture_input
from alfa_md.metrics import mean_ci
from alfa_md.system.files import write_text
from scripts.prediction_draws import accuracies, draws
from scripts.sample_archives import unpack_archive
from scripts.study import Study, Variant, run_logged

TRAINING, RECORDS = "mini_imagenet", "ilsvrc_2012"  # the archive, and the source that its records are
SOURCES = {"grocery": "grocery", "satellite": "satellite", "cu_birds": "cub_birds"}  # -> archive
WAYS = {5: FixedWay(5, 5, 10), 20: FixedWay(20, 5, 5)}
NUM_DRAWS = 100
PRETRAIN = "pretrain"


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
            for source, way in product(SOURCES, WAYS)
            if not (file := self.file(store, variant, source, way, seed)).exists()
        ]
        if not missing:
            return
        run_dir = self.train(variant, seed, folder, Path(data))
        for source, way, file in missing:
            pictures = unpack_archive(Path(data) / f"{SOURCES[source]}_subset.npz", folder / "pictures" / source)
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, json.dumps(self.result(variant, seed, run_dir, pictures, way)) + "\n")

    def file(self, store: Path, variant: str, source: str, way: int, seed: int) -> Path:
        """The file of a result."""
        return store / self.name / f"{variant}-{source}-{way}-way-seed{seed}.json"

    def train(self, variant: str, seed: int, folder: Path, data: Path) -> Path:
        """Converts the training pictures, pretrains and trains, unless done before; returns the run directory."""
        pictures = unpack_archive(data / f"{TRAINING}_subset.npz", folder / "pictures" / RECORDS)
        convert = ["-m", "alfa_md.convert", "folder", f"--source_dir={pictures}"]
        convert += [f"--records_root_dir={folder / 'records'}", "--workers=1"]
        if not (folder / "records" / RECORDS / "dataset_spec.json").exists():
            run_logged(convert, folder / "convert.log", "convert")
        pretrained, run_dir = folder / f"{PRETRAIN}-seed{seed}", folder / f"{variant}-seed{seed}"
        after = f"PRETRAINED = {str(pretrained)!r}"
        training = self.training()
        for name, run, more in ((PRETRAIN, pretrained, []), (variant, run_dir, [f"--gin_bindings={after}"])):
            words = [*training.train_command(name, str(run), seed, str(folder / "records")), *more]
            run_logged(words, Path(f"{run}.log"), f"{name}, seed {seed}")
        return run_dir

    def training(self) -> Study:
        """The pretraining and the variants as a study, whose commands train them."""
        return Study(self.name, {PRETRAIN: self.pretraining, **self.variants}, self.data)

    def result(self, variant: str, seed: int, run_dir: Path, pictures: Path, way: int) -> dict:
        """The stored result of a variant on one source and way: the accuracies on every draw, and the conditions."""
        torch.set_num_threads(1)
        opened, began = alfa_md.open_run(run_dir), time.process_time()
        found = accuracies(
            opened.learner, picture_input(opened.experiment), pictures, draws(pictures, WAYS[way], NUM_DRAWS)
        )
        gin.clear_config()
        return {
            "variant": variant,
            "seed": seed,
            "source": pictures.name,
            "way": way,
            "shots": WAYS[way].shots,
            "queries": WAYS[way].queries,
            "accuracies": {name: [round(score, 4) for score in scores] for name, scores in found.items()},
            "mean": {name: round(mean_ci(scores).mean, 6) for name, scores in found.items()},
            "cpu_seconds": time.process_time() - began,
            "training_cpu_seconds": sum(
                training_seconds(run_dir.with_name(f"{name}-seed{seed}")) for name in (PRETRAIN, variant)
            ),
            "bindings": list(self.variants[variant].bindings),
            "machine": opened.facts["machine"],
            "torch": opened.facts["torch"],
        }


def training_seconds(run_dir: Path) -> float:
    """The CPU seconds of a training, 0 without an update."""
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text("utf-8").splitlines()]
    return max((line.get("cpu_seconds", 0.0) for line in lines), default=0.0)
