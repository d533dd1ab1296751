"""Names that configurations of earlier versions use, and those of today: stored runs and users' files keep working."""

import re
from io import StringIO

# Modules below alfa_md that a gin file may import.
MODULES = {
    "classifiers": "learners.classifiers",
    "cuda_graph": "learners.batching.cuda_graph",
    "experiment": "experiment.definition",
    "learners.captured": "learners.batching.captured",
    "learners.traced": "learners.batching.traced",
    "learners.vmapped": "learners.batching.vmapped",
    "precision": "kernels.precision",
    "recomputation": "inner_loop.recomputation",
    "schedules": "training.schedules",
    "training": "training.loop",
}
IMPORT = re.compile(r"^(\s*(?:import|from)\s+)alfa_md\.([\w.]+)", re.MULTILINE)


def updated(text: str) -> str:
    """A configuration in the names of today."""
    return IMPORT.sub(lambda found: f"{found[1]}alfa_md.{MODULES.get(found[2], found[2])}", text)


def opened(path: str) -> StringIO:
    """A gin file in the names of today, open for reading."""
    with open(path, encoding="utf-8") as file:
        text = StringIO(updated(file.read()))
    text.name = path  # which gin names in its messages
    return text
