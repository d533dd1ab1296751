"""Converter of MNIST: ten handwritten digits, all in the test split.

Reads the test images `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each with or without `.gz`, also with the
dot that some archives have before `idx`. The training images are left out, as in the published tables
(`alfa_md/data/convert_common/array_images.py`). Light digits on dark.
References: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998; as a source
of few-shot episodes Requeima et al., NeurIPS 2019.
"""

from pathlib import Path

from alfa_md.data.convert_common.array_images import ArrayImages, plan_array_images
from alfa_md.data.convert_common.idx_file import read_idx
from alfa_md.data.convert_common.left_out import report_unused
from alfa_md.data.convert_common.originals import raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Plan

IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
NAMES = tuple(f"class_{digit}" for digit in range(10))
SIDE = 28  # pixels
REMEDY = f"download {IMAGES}.gz and {LABELS}.gz there"


def plan(source_dir: Path) -> Plan:
    """The plan of the ten digits. Raises UserError naming missing or damaged files."""
    require_originals(source_dir, REMEDY)
    files = {name: find(source_dir, name) for name in (IMAGES, LABELS)}
    raise_if_any(source_dir, [f"{name}.gz is missing" for name, file in files.items() if not file], REMEDY)
    notes = report_unused(source_dir, set(files.values()))
    return plan_array_images("mnist", read_test_images, source_dir, REMEDY, notes)


def find(source_dir: Path, name: str) -> Path | None:
    """The file of this name in one of its forms; None if there is none."""
    forms = [form + ending for form in (name, name.replace("-idx", ".idx")) for ending in ("", ".gz")]
    return next((source_dir / form for form in forms if (source_dir / form).is_file()), None)


def read_test_images(source_dir: Path) -> ArrayImages:
    """The test images. Raises UserError naming a damaged file, or one of other images."""
    pixels, labels = (read_idx(find(source_dir, name), n) for name, n in ((IMAGES, 3), (LABELS, 1)))
    sizes = [f"images of {' x '.join(map(str, pixels.shape[1:]))} pixels"] if pixels.shape[1:] != (SIDE, SIDE) else []
    numbers = [f"{len(pixels)} images, but {len(labels)} labels"] if len(pixels) != len(labels) else []
    raise_if_any(source_dir, sizes + numbers, REMEDY)
    return ArrayImages(pixels, labels, NAMES)
