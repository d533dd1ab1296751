"""Invalid image data sets: the error line, and that nothing is written."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.entries.bad_input import BadInput
from tests.entries.damage import Damage

FILES = ("--gin_config=gin/paper/table1_conv4_maml.gin", "--run_dir=new")
SPLITS = {"train": 3, "valid": 3, "test": 3}  # classes
PER_CLASS = 4
OWN = ("DATA = 'own'", "WAY = 3", "SHOT = 2", "FixedWay.queries = 2")


def own_images(folder: Path, mode: str = "RGB") -> None:
    """Writes a small image data set to images/own/<split>/<class>/."""
    for split, classes in SPLITS.items():
        for name in range(classes):
            place = folder / "images" / "own" / split / f"{split}{name}"
            place.mkdir(parents=True)
            for number in range(PER_CLASS):
                pixels = np.full((20, 20, 3), 40 * name + number, np.uint8)
                Image.fromarray(pixels).convert(mode).save(place / f"{number}.png")


def written(change=lambda own: None) -> Damage:
    """Writes the data set and applies `change` to its folder."""

    def damage(folder: Path) -> list[Path]:
        own_images(folder)
        change(folder / "images" / "own")
        return []

    return damage


def with_grey(own: Path) -> None:
    Image.new("L", (20, 20)).save(own / "train" / "train1" / "3.png")


def with_a_broken_one(own: Path) -> None:
    file = own / "valid" / "valid0" / "2.png"
    file.write_bytes(file.read_bytes()[:40])


def with_floats(own: Path) -> None:
    Image.new("F", (20, 20)).save(own / "valid" / "valid0" / "2.tif")


def with_a_large_one(own: Path) -> None:
    """A small file of 10^8 black pixels."""
    Image.new("1", (10_000, 10_000)).save(own / "valid" / "valid0" / "2.png")


def without_a_class(own: Path) -> None:
    for file in (own / "train" / "train2").iterdir():
        file.unlink()


def train(what: str, line: str, damage: Damage, *bindings: str) -> BadInput:
    own = [f"--gin_bindings={binding}" for binding in (*OWN, *bindings)]
    return BadInput(what, "train", (*FILES, "--records_root_dir=images", *own), line, damage)


SECTIONS = {
    "Image data sets": [
        BadInput(
            "no folder of images", "train", FILES, "^this configuration reads images, and no folder is given; set"
        ),
        train("no such data set", "^own2|images/own2: ", written(), "DATA = 'own2'"),
        train(
            "more ways than classes", "^own train: has 3 classes, but FixedWay.way = 4; lower it", written(), "WAY = 4"
        ),
        train("a class with too few images", "has 4 images, but .* need 5; lower them", written(), "SHOT = 3"),
        train("grey and coloured images in one folder", "own/train/train1/3.png", written(with_grey)),
        train("an image that is cut off", "own/valid/valid0/2.png", written(with_a_broken_one)),
        train("an image of floats", "own/valid/valid0/2.tif: has pixels of mode F; save it", written(with_floats)),
        train("an image of 10^8 pixels", "valid0/2.png: claims more than 89478485 pixels", written(with_a_large_one)),
        train("a class without an image", "own/train/train2", written(without_a_class)),
    ]
}
