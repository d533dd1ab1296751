"""Bad input of `alfa_md.predict`: pictures, weights and flags, one fault per row."""

import shutil
from pathlib import Path

from tests.entries.bad_input import BadInput
from tests.entries.damage import BEST, Damage, trapped
from tests.entries.harness import CONFIG, with_defaults
from tests.pictures import write_query, write_support

GIVEN = ("--run_dir=run", "--support=labelled", "--query=pictures")
WEIGHTS = (*CONFIG, "--support=labelled", "--query=pictures")


def written(change=lambda folder: None) -> Damage:
    """Writes the folders `labelled` and `pictures` and applies `change` to the folder that holds them."""

    def damage(folder: Path) -> None:
        write_support(folder / "labelled", 2)
        write_query(folder / "pictures", 2)
        change(folder)

    return damage


def predict(what: str, line: str, *flags: str, change=lambda folder: None, given=GIVEN) -> BadInput:
    return BadInput(what, "predict", tuple(with_defaults(given, flags)), line, written(change))


def table(*lines: str):
    """Writes `labels.csv` beside the folders."""
    return lambda folder: (folder / "labels.csv").write_text("\n".join(lines))


def with_one_class(folder: Path) -> None:
    for name in ("blue", "green"):
        shutil.rmtree(folder / "labelled" / name)


def with_an_empty_class(folder: Path) -> None:
    (folder / "labelled" / "yellow").mkdir()


def with_a_broken_label(folder: Path) -> None:
    (folder / "labelled" / "red" / "0.png").write_bytes(b"damaged")


def with_a_broken_picture(folder: Path) -> None:
    (folder / "pictures" / "00001-green.png").write_bytes(b"damaged")


def with_one_picture_in_two_classes(folder: Path) -> None:
    shutil.copy(folder / "labelled" / "red" / "0.png", folder / "labelled" / "blue" / "9.png")


def with_single_pictures(folder: Path) -> None:
    for file in (folder / "labelled").glob("*/1.jpg"):
        file.unlink()


def without_pictures(folder: Path) -> None:
    for file in (folder / "pictures").iterdir():
        file.unlink()


SECTIONS = {
    "Predictions": (
        predict("neither a run nor gin files", "^give --run_dir=RUN, or --gin_config with", given=GIVEN[1:]),
        predict("a run and gin files", "^give --run_dir=RUN, or --gin_config with", "--gin_config=gin/maml.gin"),
        predict("gin files with random weights", "random weights; give --checkpoint=FILE or PRETRAINED", given=WEIGHTS),
        predict(
            "gin files with a pretraining to be done",
            "^PRETRAINED = gin/pretrain_imagenet_resnet.gin is to be trained; train it",
            given=("--gin_config=gin/proto_maml.gin", "--gin_config=gin/parts/small.gin", *GIVEN[1:]),
        ),
        predict("weights of another learner", "is not of this configuration's", f"--checkpoint={BEST}", given=WEIGHTS),
        predict("weights that run code", "best.pt", change=trapped),
        predict("labelled pictures that are missing", "^nowhere: no such folder or CSV file", "--support=nowhere"),
        predict("one class alone", "^labelled: has 1 class folders, and a choice needs two", change=with_one_class),
        predict("a class without a picture", "labelled/yellow: this class has no image", change=with_an_empty_class),
        predict("a labelled picture that is damaged", "red/0.png: is not a readable", change=with_a_broken_label),
        predict("a picture in two classes", "are one picture; keep it", change=with_one_picture_in_two_classes),
        predict(
            "a list without a heading",
            "^labels.csv: the first line must be the header file,class",
            "--support=labels.csv",
            change=table("a.png,red", "b.png,blue"),
        ),
        predict(
            "a list that leads out of its folder",
            "^labels.csv: lists '../a.png', which leads out of",
            "--support=labels.csv",
            change=table("file,class", "../a.png,red"),
        ),
        predict(
            "a list of a picture that is missing",
            "^labels.csv: lists 'a.png', but there is no file",
            "--support=labels.csv",
            change=table("file,class", "a.png,red"),
        ),
        predict("pictures that are missing", "^nowhere: no such folder or picture; see --query", "--query=nowhere"),
        predict("a folder without a picture", "^pictures: holds no picture", change=without_pictures),
        predict("a picture that is damaged", "green.png: is not .* --skip_unreadable", change=with_a_broken_picture),
        predict(
            "leave-one-out of single pictures",
            "^--calibrate leaves one picture out at a time, and no class has another one left",
            "--calibrate",
            change=with_single_pictures,
        ),
        predict("an output that is a folder", "^..: is a folder, not the name of a file", "--out=.."),
        predict("an output in a missing folder", "^new/out.csv: No such file or directory", "--out=new/out.csv"),
    )
}
