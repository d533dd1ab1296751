"""Bad sources in shards of Meta-Dataset's TFDS builder, one fault per row."""

from collections.abc import Callable
from pathlib import Path

from alfa_md.data.spec import load_spec
from tests.data.prepared import shard_file, write_prepared
from tests.entries import damage as d
from tests.entries.bad_input import BadInput, train

SOURCE = "^tfds/meta_dataset/ilsvrc_2012/1.0.0/"
SHARD = SOURCE + r"meta_dataset-all_classes\.tfrecord-0000\d-of-00002: "
LENGTHS = (100, 116)


def prepared(change: Callable[[Path], object]) -> d.Damage:
    """Writes the training source in two shards, and damages its folder."""

    def damage(folder: Path) -> None:
        change(write_prepared(folder / "tfds", load_spec(folder / "records" / d.TRAINED), LENGTHS))

    return damage


def rewritten(name: str, old: str, new: str) -> d.Damage:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return prepared(change)


def shards(change: Callable[[Path], object]) -> d.Damage:
    """Applies a change to both shards."""

    def change_all(folder: Path) -> None:
        for number in range(len(LENGTHS)):
            change(shard_file(folder, number, len(LENGTHS)))

    return prepared(change_all)


def row(what: str, line: str, damage: d.Damage, root: str = "tfds") -> BadInput:
    return train(what, line, f"--records_root_dir={root}", damage=damage)


SECTIONS: dict[str, tuple[BadInput, ...]] = {
    "Sources prepared by the TFDS builder": (
        row(
            "the folder of the builder as the records root",
            "^records root .*tfds/meta_dataset is the folder of a TFDS builder; give the one that it is in",
            prepared(lambda folder: None),
            "tfds/meta_dataset",
        ),
        row(
            "`metadata.json` missing",
            SOURCE + "metadata.json: not found; build the source again with `tfds build`",
            prepared(lambda folder: (folder / "metadata.json").unlink()),
        ),
        row(
            "names of shards that lead out of the folder",
            SOURCE + "dataset_info.json: field 'filepathTemplate' must be '{DATASET}.*, not '../../{DATASET}-",
            rewritten("dataset_info.json", '"{DATASET}-{SPLIT}', '"../../{DATASET}-{SPLIT}'),
        ),
        row(
            "a slice beyond the end",
            SOURCE + "metadata.json: field 'relative_class_slices' has the slice 204 to 400 for class 'colour 17'",
            rewritten("metadata.json", "[204, 216]", "[204, 400]"),
        ),
        row(
            "metadata of other shards",
            SOURCE + "metadata.json: .* ends at record 216, but dataset_info.json states 217",
            rewritten("dataset_info.json", '"100"', '"101"'),
        ),
        row("a shard missing", SHARD + r"cannot be read \(No such file", shards(Path.unlink)),
        row(
            "a shard cut off",
            SHARD + r"record \d+ at byte \d+ is truncated: it ends at byte \d+, the file at byte \d+; copy or convert",
            shards(lambda file: file.write_bytes(file.read_bytes()[:-3])),
        ),
        row(
            "a shard with fewer records than stated",
            SHARD + r"holds 0 records, but dataset_info.json states 1\d\d; build the source again with `tfds build`",
            shards(lambda file: file.write_bytes(b"")),
        ),
    ),
}
