"""Bad runs: checkpoints, run directories, memory and disks, one fault per row."""

from tests.entries import damage as d
from tests.entries.bad_input import BadInput, bound, evaluate, train
from tests.entries.limits import read_only, small_disk, small_memory

LARGE = ("IMAGE_SIZE = 256", "FourLayerConvNet.num_filters = 512")  # 134 MB an image and layer
LARGE_FLAGS = tuple(f"--gin_bindings={binding}" for binding in (*LARGE, "Sampling.num_support = 4"))


SECTIONS: dict[str, tuple[BadInput, ...]] = {
    "Checkpoints": (
        evaluate("missing", "^checkpoint other.pt does not exist; train first", "--checkpoint=other.pt"),
        train(
            "of TensorFlow, as pretrained weights",
            "^tf is a TensorFlow checkpoint; convert it and name the new file: python -m alfa_md.convert checkpoint "
            "--from=tf/model_4.ckpt --to=tf/model_4.pt$",
            "--gin_bindings=PRETRAINED = 'tf'",
            damage=d.official,
        ),
        evaluate(
            "of TensorFlow",
            "^tf/model_4.ckpt is a TensorFlow checkpoint; convert it and name the new file: python -m alfa_md.convert",
            "--checkpoint=tf/model_4.ckpt",
            damage=d.official,
        ),
        evaluate("not a checkpoint", "^checkpoint run/config.gin cannot be read", "--checkpoint=run/config.gin"),
        evaluate("truncated", "^checkpoint run/checkpoints/best.pt cannot be read", damage=d.cut(d.BEST, 0.7)),
        evaluate("compressed", "^checkpoint run/checkpoints/best.pt is compressed, or", damage=d.deflated(d.BEST)),
        evaluate("a bit flipped", "^checkpoint run/checkpoints/best.pt ", damage=d.flipped(d.BEST, 0.5)),
        evaluate(
            "pickled code: refused, not run", "^checkpoint run/checkpoints/best.pt cannot be read", damage=d.trapped
        ),
        evaluate(
            "weights that are not finite",
            r"^checkpoint run/checkpoints/best.pt: \S+ has 1 of \d+ values that are not finite: the training that",
            damage=d.diverged,
        ),
        evaluate(
            "of another architecture",
            "^checkpoint run/checkpoints/best.pt is not of this configuration's",
            damage=d.replaced("run/config.gin", "num_filters = 4", "num_filters = 5"),
        ),
    ),
    "Checkpoints to resume from": (
        train(
            "an optimiser without its second moments",
            "^checkpoint run/checkpoints/last.pt: its optimiser lacks some of step, exp_avg, exp_avg_sq of parameter 0",
            "--run_dir=run",
            damage=d.changed_state(lambda content: content["optimizer"]["state"][0].pop("exp_avg_sq")),
        ),
        train(
            "a random state of another size",
            "^checkpoint run/checkpoints/last.pt: the state of its random generator has another size; a run cannot go",
            "--run_dir=run",
            damage=d.changed_state(lambda content: content.update(rng=content["rng"][:100])),
        ),
        train(
            "weights alone",
            "^checkpoint run/checkpoints/last.pt lacks best, optimizer, ranking, .* a run cannot go on from it",
            "--run_dir=run",
            damage=d.changed_state(lambda content: [content.pop(key) for key in content.keys() - {"learner", "step"}]),
        ),
        train(
            "of more updates than the run has",
            "^run has done 3 updates, more than train.num_updates = 2: its checkpoints are of another run; choose",
            "--run_dir=run",
            damage=d.changed_state(lambda content: (content.update(step=3), content["schedule"].update(last_epoch=3))),
        ),
    ),
    "Run directories and results": (
        train(
            "other records than at its start",
            r"^run was trained on other data \(ilsvrc_2012 train: 1.tfrecords is another one\); give --rec",
            "--run_dir=run",
            damage=d.swapped(1, 3),
        ),
        train(
            "fewer updates than before",
            r"^run is a run of another configuration \(train.num_updates: 2 -> 1\); choose another --run_dir",
            "--run_dir=run",
            "--gin_bindings=train.num_updates = 1",
        ),
        evaluate(
            "other records than it was trained on",
            r"^run was trained on other data \(ilsvrc_2012 train: 1.tfrecords is another one\); .* --name=NAME",
            damage=d.swapped(1, 3),
        ),
        evaluate(
            "facts of a wrong kind",
            "^run/run.json is damaged: seed = '0'; restore it",
            damage=d.replaced("run/run.json", '"seed": 0', '"seed": "0"'),
        ),
        train(
            "`config.gin` no text",
            "^run/config.gin is damaged: it is no text; restore it or choose",
            "--run_dir=run",
            damage=lambda folder: (folder / "run" / "config.gin").write_bytes(b"\xff"),
        ),
        evaluate("not a run directory", "^records is not a run directory", "--run_dir=records"),
        train(
            "of another configuration",
            r"^run is a run of another .*seed: 0 -> 1\); choose another",
            "--run_dir=run",
            "--seed=1",
        ),
        train(
            "in use by another process", "^run is in use by another training run; wait", "--run_dir=run", damage=d.held
        ),
        evaluate("`config.gin` damaged", "^gin: ", damage=d.replaced("run/config.gin", "", "= {")),
        evaluate("`run.json` damaged", "^run/run.json: is not valid JSON", damage=d.replaced("run/run.json", "", "{")),
        evaluate(
            "results damaged",
            "^run/results/test.json is not a results file of this package .*; restore it, or move it away and run",
            damage=d.replaced("run/results/test.json", "", "{"),
        ),
        BadInput("nothing to report on", "report", ("nowhere",), "^nowhere is not a run directory"),
        BadInput(
            "a regression of images", "plot", ("regression", "--run_dir=run"), "^ilsvrc_2012 has no curves to draw; see"
        ),
        BadInput(
            "nothing to compare",
            "compare",
            ("run", "nowhere"),
            "^no results at nowhere; run python -m alfa_md.evaluate",
        ),
        BadInput(
            "not results", "compare", ("run", "run/config.gin"), "^run/config.gin is not a results file of this package"
        ),
        train(
            "a file where the run directory should be",
            "cannot write to run directory run/config.gin/x",
            "--run_dir=run/config.gin/x",
        ),
        BadInput(
            "no results of the split",
            "compare",
            ("run", "run", "--split=valid"),
            "^no results at run/results/valid.json; run",
        ),
    ),
    "Memory": (
        train(
            "an episode too large in training",
            "^out of memory at update 1 on ilsvrc_2012 train episode 0 of seed 0; .* set support_moments.query_portion",
            *LARGE_FLAGS,
            limit=lambda _: small_memory(2**30),
        ),
        train(
            "an episode too large in validation",
            "^out of memory on ilsvrc_2012 valid episode 0 of seed 0; checkpoints stay as they were; set support_mom",
            *LARGE_FLAGS,
            "--gin_bindings=train.num_updates = 0",
            limit=lambda _: small_memory(2**30),
        ),
        bound(
            "portions of no query image",
            "^gin: support_moments.query_portion = 0 must be a whole number of at least 1",
            "support_moments.query_portion = 0",
        ),
    ),
    "Disk and permissions": (
        train("no room for a checkpoint", "checkpoint.*new/checkpoints/", limit=lambda _: small_disk(20_000)),
        evaluate(
            "no room for results",
            "^run/results/test.json: File too large; free some space",
            "--sources=ilsvrc_2012",
            limit=lambda _: small_disk(500),
        ),
        BadInput(
            "no room for a figure",
            "plot",
            ("curves", "run"),
            "^run/figures/curves.png: File too large; free some space",
            limit=lambda _: small_disk(500),
        ),
        train(
            "read-only folder",
            "^cannot write to run directory run/x: Permission denied; choose another --run_dir",
            "--run_dir=run/x",
            limit=read_only,
        ),
        evaluate(
            "read-only run directory", "^run/results/.*: Permission denied; ", "--sources=ilsvrc_2012", limit=read_only
        ),
    ),
}
