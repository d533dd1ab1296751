"""Converter of German traffic signs (GTSRB): all 43 signs are in the test split.

Reads `Final_Training/Images/<number>/` of `GTSRB_Final_Training_Images.zip`. There the images of a sign are video
frames, 30 consecutive ones of each video; they are shuffled with a fixed seed, so that a reader of a part of the file
does not see a single video.
References: Houben et al., "Detection of traffic signs in real-world images", IJCNN 2013; names and order of
Triantafillou et al., "Meta-Dataset", ICLR 2020.
"""

from pathlib import Path

import numpy as np

from alfa_md.data.convert_common.image_file_plan import FilesAsJpeg
from alfa_md.data.convert_common.left_out import report_unused
from alfa_md.data.convert_common.originals import file_names, raise_if_any, require_originals
from alfa_md.data.convert_common.plan import Plan
from alfa_md.data.convert_common.random_split import SEED, flat_spec

IMAGES, ANNOTATIONS = "Final_Training/Images", (".csv",)
REMEDY = "unpack GTSRB_Final_Training_Images.zip and give its folder GTSRB"

NAMES = """
Speed limit (20km/h); Speed limit (30km/h); Speed limit (50km/h); Speed limit (60km/h); Speed limit (70km/h); Speed
limit (80km/h); End of speed limit (80km/h); Speed limit (100km/h); Speed limit (120km/h); No passing; No passing
for vehicles over 3.5 metric tons; Right-of-way at the next intersection; Priority road; Yield; Stop; No vehicles;
Vehicles over 3.5 metric tons prohibited; No entry; General caution; Dangerous curve to the left; Dangerous curve to
the right; Double curve; Bumpy road; Slippery road; Road narrows on the right; Road work; Traffic signals;
Pedestrians; Children crossing; Bicycles crossing; Beware of ice/snow; Wild animals crossing; End of all speed and
passing limits; Turn right ahead; Turn left ahead; Ahead only; Go straight or right; Go straight or left; Keep
right; Keep left; Roundabout mandatory; End of no passing; End of no passing by vehicles over 3.5 metric tons
"""


def plan(source_dir: Path) -> Plan:
    """The plan of the 43 signs. Raises UserError naming missing files."""
    names = [f"{number:02d}.{name}" for number, name in enumerate(" ".join(NAMES.split()).split("; "))]
    folders = [f"{IMAGES}/{number:05d}" for number in range(len(names))]
    require_originals(source_dir, REMEDY, folders=folders)
    files = [shuffled(source_dir / folder) for folder in folders]
    raise_if_any(source_dir, [f"{f} has no image" for f, own in zip(folders, files, strict=True) if not own], REMEDY)
    counts = dict(zip(names, map(len, files), strict=True))
    spec = flat_spec("traffic_sign", {"train": [], "valid": [], "test": names}, counts)
    notes = report_unused(source_dir / IMAGES, {file for own in files for file in own}, expected=ANNOTATIONS)
    return Plan(spec, FilesAsJpeg(files), notes=notes)


def shuffled(folder: Path) -> list[Path]:
    """The image files of a sign in the shuffled order of Meta-Dataset."""
    names = file_names(folder, ".ppm")
    np.random.RandomState(SEED + 1).shuffle(names)
    return [folder / name for name in names]
