"""Draws of labelled and unlabelled pictures from class folders, and the accuracies of classifiers on them.

python -m scripts.prediction_draws RUN_DIR FOLDER WAY SHOTS QUERIES FIRST END OUT
"""

import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

import alfa_md
from alfa_md.data.fixed_way import FixedWay, FixedWaySampler
from alfa_md.data.images.image_files import list_classes
from alfa_md.data.labelled_pictures import LabelledPictures
from alfa_md.data.picture_inputs import PictureInput, read_content
from alfa_md.data.sampling import stable_rng
from alfa_md.experiment.picture_inputs import picture_input
from alfa_md.heads import prototypes
from alfa_md.learners.gradient import GradientLearner
from alfa_md.learners.nearest_neighbor import cosine, euclidean
from alfa_md.normalization import embed_support
from alfa_md.prediction.predictions import Predictions
from alfa_md.prediction.support_set import SupportSet, read_support
from alfa_md.system.files import write_json

CPU = torch.device("cpu")
ADAPTED, CENTROID, COSINE = "adapted", "nearest centroid", "cosine nearest neighbour"


class Draw(NamedTuple):
    """Labelled pictures, and the pictures to predict with their true classes."""

    labelled: LabelledPictures
    files: tuple[str, ...]  # relative to the folder of the source
    truth: tuple[str, ...]


def draws(folder: Path, sampling: FixedWay, indices: range, seed: int = 0) -> Iterator[Draw]:
    """Yields draws of a source of class folders; draw k depends on (seed, source, way, k) and the files alone."""
    classes = list_classes(folder)
    names, counts = list(classes), [len(own.names) for own in classes.values()]
    sampler = FixedWaySampler(folder.name, f"{sampling.way}-way", names, counts, sampling)
    for index in indices:
        chosen = sampler.sample(stable_rng(seed, folder.name, f"{sampling.way}-way", index))
        chosen.sort(key=lambda each: names[each.class_id])
        drawn = [(names[each.class_id], classes[names[each.class_id]], each) for each in chosen]
        support = [
            (own.folder / own.names[n], label) for label, (_, own, each) in enumerate(drawn) for n in each.support
        ]
        query = [(f"{name}/{own.names[n]}", name) for name, own, each in drawn for n in each.query]
        files, labels = zip(*support, strict=True)
        yield Draw(LabelledPictures(tuple(name for name, *_ in drawn), files, labels), *zip(*query, strict=True))


def accuracies(
    learner: GradientLearner, read: PictureInput, folder: Path, drawn: Iterator[Draw]
) -> dict[str, list[float]]:
    """The accuracies on every draw of the adapted learner, and of two classifiers on its features before adaptation.

    The three normalise by the moments of the labelled pictures.
    """
    found: dict[str, list[float]] = {name: [] for name in (ADAPTED, CENTROID, COSINE)}

    @cache
    def read_once(file: Path) -> torch.Tensor:
        return read(file, read_content(file))

    for labelled, files, truth in drawn:
        support = read_support(labelled, lambda file, content: read_once(file), CPU)
        predicted = Predictions(learner, support, folder, files, lambda file, content: read_once(file))
        found[ADAPTED].append(share([each.label for each in predicted], truth))
        query = torch.stack([read_once(folder / file) for file in files]).to(memory_format=torch.channels_last)
        for name, best in classified(learner.backbone, support, query).items():
            found[name].append(share([labelled.classes[label] for label in best.tolist()], truth))
    return found


@torch.no_grad()
def classified(backbone: nn.Module, support: SupportSet, query: torch.Tensor) -> dict[str, torch.Tensor]:
    """The labels [Nq] of query images by the nearest centroid and by the nearest cosine, on the backbone's features."""
    features, embed_query = embed_support(backbone, support.x)
    embedded = embed_query(query)
    centroids = prototypes(features, support.y, len(support.pictures.classes))
    return {
        CENTROID: euclidean(embedded, centroids).argmin(dim=1),
        COSINE: support.y[cosine(embedded, features).argmin(dim=1)],
    }


def share(labels: list[str], truth: tuple[str, ...]) -> float:
    """The share of labels that are true."""
    return sum(map(str.__eq__, labels, truth)) / len(truth)


def main(run_dir: str, folder: str, way: str, shots: str, queries: str, first: str, end: str, out: str) -> None:
    """Writes the accuracies of a run on draws of a folder of class folders, and the CPU seconds, to `out`."""
    sampling, began = FixedWay(int(way), int(shots), int(queries)), time.process_time()
    opened = alfa_md.open_run(run_dir)
    drawn = draws(Path(folder), sampling, range(int(first), int(end)))
    found = accuracies(opened.learner, picture_input(opened.experiment), Path(folder), drawn)
    rounded = {name: [round(score, 4) for score in scores] for name, scores in found.items()}
    write_json(Path(out), {"accuracies": rounded, "cpu_seconds": round(time.process_time() - began, 1)})


if __name__ == "__main__":
    main(*sys.argv[1:])
