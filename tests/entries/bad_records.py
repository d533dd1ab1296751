"""Bad records: specifications, class files and images, one fault per row."""

from pathlib import Path

from tests.entries import damage as d
from tests.entries.bad_input import BadInput, bound, evaluate, train
from tests.entries.harness import shade

SPEC = "^records/ilsvrc_2012/dataset_spec.json: "
CLASS = r"^records/ilsvrc_2012/\d+\.tfrecords: "
RECORD = CLASS + r"record \d+ at byte \d+ is "
IMAGE = CLASS + r"the image of record \d+ "

SECTIONS: dict[str, tuple[BadInput, ...]] = {
    "Records root": (
        train(
            "folder missing",
            "^records root .*nowhere does not exist; set --records_root_dir",
            "--records_root_dir=nowhere",
        ),
        train("folder without any source", r"records holds no \*/dataset_spec.json; set", damage=d.emptied),
        train(
            "specifications in the legacy pickled form only",
            "dataset_spec.pkl: is never opened, .* to get dataset_spec.json, convert",
            damage=d.legacy("*/dataset_spec.json"),
        ),
    ),
    "Specification (`dataset_spec.json`)": (
        train("missing", SPEC + "not found; a source is a directory", damage=d.removed(d.SPEC)),
        train(
            "in the legacy pickled form only",
            "^records/ilsvrc_2012/dataset_spec.pkl: is never opened, .* convert_from_pkl=True",
            damage=d.legacy("ilsvrc_2012/dataset_spec.json"),
        ),
        train("not JSON", SPEC + r"is not valid JSON \(", damage=d.replaced(d.SPEC, "", "no JSON")),
        train("nested without end", SPEC + "is nested too deeply", damage=d.replaced(d.SPEC, "", "[" * 100_000)),
        train("not an object", SPEC + "must hold a JSON object", damage=d.replaced(d.SPEC, "", "[]")),
        train(
            "a field missing",
            SPEC + "field 'images_per_class' is missing; correct",
            damage=d.replaced(d.SPEC, "images_per_class", "images"),
        ),
        train(
            "a count that is none",
            SPEC + "field 'images_per_class' at '0' must be a count, not 1e\\+20",
            damage=d.replaced(d.SPEC, '"0": 12', '"0": 1e20'),
        ),
        train(
            "fields that contradict each other",
            SPEC + "field 'class_names' has 18 entries, but the splits hold 19 classes",
            damage=d.replaced(d.SPEC, '"TEST": 7', '"TEST": 8'),
        ),
        train(
            "of another source",
            SPEC + "field 'name' is 'imagenet'; the directory must be named like that",
            damage=d.replaced(d.SPEC, '"ilsvrc_2012"', '"imagenet"'),
        ),
        bound(
            "a split without classes",
            "^traffic_sign has no train classes; choose a split that has some",
            "Experiment.train_sources = ('traffic_sign',)",
        ),
    ),
    "Class files": (
        train("missing", CLASS + r"cannot be read \(No such file", damage=d.class_files(Path.unlink)),
        train(
            "empty",
            CLASS + "holds 0 records, but .* states 12; convert",
            damage=d.class_files(lambda f: f.write_bytes(b"")),
        ),
        train(
            "fewer records than stated", CLASS + "holds 11 records, but .* states 12", damage=d.images(shade(0, 0), 11)
        ),
        train(
            "more records than stated", CLASS + "holds 13 records, but .* states 12", damage=d.images(shade(0, 0), 13)
        ),
        train(
            "cut off",
            RECORD + r"truncated: it ends at byte \d+, the file at byte \d+; copy or convert",
            damage=d.class_files(lambda file: file.write_bytes(file.read_bytes()[:-3])),
        ),
        train(
            "a bit flipped in a length",
            RECORD + "corrupt: the checksum of its length does not hold",
            damage=d.every_record("length"),
        ),
        train(
            "a bit flipped in the checksum of a length",
            RECORD + "corrupt: the checksum of its length does not hold",
            damage=d.every_record("length's checksum"),
        ),
        train(
            "a bit flipped in the data",
            RECORD + "corrupt: the checksum of its data does not hold",
            damage=d.every_record("data"),
        ),
        train(
            "a bit flipped in the checksum of the data",
            RECORD + "corrupt: the checksum of its data does not hold",
            damage=d.every_record("checksum"),
        ),
        train(
            "a record that is no Example", CLASS + r"record \d+ is not a tf.train.Example", damage=d.payloads(b"\xff")
        ),
        train(
            "a record without `image`",
            CLASS + r"record \d+ has 0 values in its feature 'image'",
            damage=d.payloads(b""),
        ),
        evaluate(
            "damage met in evaluation: earlier results stay",
            RECORD + "truncated",
            *("--sources=ilsvrc_2012", "--name=damaged"),
            damage=d.class_files(lambda file: file.write_bytes(file.read_bytes()[:-3])),
        ),
    ),
    "Images": (
        train("not a picture", IMAGE + "is not a whole still picture", damage=d.images(b"no image")),
        train("empty", IMAGE + "is not a whole still picture", damage=d.images(b"")),
        train("cut off", IMAGE + "is not a whole still picture", damage=d.images(shade(0, 0)[:-30])),
        train(
            "a small file that claims 60000 x 60000 pixels",
            IMAGE + "claims 60000 x 60000 pixels, not below turbo.max_pixels = 100000000",
            damage=d.images(d.claiming(60000, 60000)),
        ),
        train(
            "a JPEG with sampling factors that only TensorFlow decodes",
            IMAGE + "has unusual sampling factors, which only decoder = @tensorflow.. decodes; set that decoder",
            damage=d.images(d.UNUSUAL_JPEG),
        ),
    ),
}
