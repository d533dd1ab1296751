"""Draw a figure of a run, or of several, as PNG and SVG.

    python -m alfa_md.plot hyperparameters --run_dir=RUN    # rates and decays by inner step and tensor, over tasks
    python -m alfa_md.plot curves RUN...                    # training and validation of several runs
    python -m alfa_md.plot episode --run_dir=RUN            # images with predictions before and after adaptation
    python -m alfa_md.plot regression --run_dir=RUN         # the adapted curve after every inner step

The files are named by --out; every figure is written whole or not at all.
"""

from pathlib import Path

from absl import flags

from alfa_md.errors import UserError
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.main import run
from alfa_md.plotting import canvas, subject
from alfa_md.plotting.curves import curves
from alfa_md.plotting.episode import episode
from alfa_md.plotting.hyperparameters import hyperparameters
from alfa_md.plotting.regression import regression
from alfa_md.system import device

FLAGS = flags.FLAGS
NAMES = ("hyperparameters", "curves", "episode", "regression")


def main(argv: list[str]) -> None:
    name, paths = argv[1] if len(argv) > 1 else "", argv[2:]
    if name not in NAMES:
        raise UserError(f"plot needs the name of a figure: python -m alfa_md.plot {'|'.join(NAMES)}")
    with canvas.style():
        written = draw_curves(paths) if name == "curves" else draw(name, paths)
    print(f"{name}: {', '.join(map(str, written))}")


def draw_curves(paths: list[str]) -> list[Path]:
    if not paths:
        raise UserError("plot curves needs one run directory or more: python -m alfa_md.plot curves RUN...")
    return curves(paths, canvas.stem(FLAGS.out, Path(paths[0]).expanduser(), "curves"))


def draw(name: str, paths: list[str]) -> list[Path]:
    """A figure of one run."""
    if paths or not FLAGS.run_dir:
        raise UserError(f"plot {name} takes one run, as --run_dir=RUN")
    shown = options()
    about, stem = subject.load(shown), canvas.stem(FLAGS.out, shown.run.path, name)
    if name == "hyperparameters":
        return hyperparameters(about, FLAGS.num_episodes, FLAGS.step, stem)
    return {"episode": episode, "regression": regression}[name](about, FLAGS.index, stem)


def options() -> subject.Options:
    """The flags that say what is drawn, as one value."""
    return subject.Options(
        run=RunDirectory(FLAGS.run_dir),
        checkpoint=FLAGS.checkpoint,
        source=FLAGS.source,
        split=FLAGS.split,
        seed=FLAGS.seed,
        records_root_dir=FLAGS.records_root_dir,
        device=device.choose(FLAGS.device),
    )


if __name__ == "__main__":
    flags.DEFINE_string("run_dir", None, "Folder of a training run; curves takes several, as words of their own.")
    flags.DEFINE_string("out", None, "Files to write, without ending; default: RUN/figures/NAME, of the first run.")
    flags.DEFINE_string("checkpoint", "best", "best, last or a checkpoint file.")
    flags.DEFINE_string("source", None, "Where episodes come from; default: the run's first test source.")
    flags.DEFINE_enum("split", "test", ("train", "valid", "test"), "Which classes.")
    flags.DEFINE_integer("num_episodes", 100, "Of hyperparameters: over how many tasks.", lower_bound=1)
    flags.DEFINE_integer(
        "step", None, "Of hyperparameters: whose spread over tasks is enlarged, from 0; default: the last.",
        lower_bound=0,
    )  # fmt: skip
    flags.DEFINE_integer("index", 0, "Of episode and regression: which episode.", lower_bound=0)
    flags.DEFINE_integer("seed", 0, "Draws the episodes: the same for every run.", lower_bound=0)
    flags.DEFINE_string("records_root_dir", None, "Folder of records; default: as `alfa_md.evaluate`.")
    flags.DEFINE_string("cache_dir", None, "Folder for record indices and decoded images; default: ALFA_MD_CACHE.")
    flags.DEFINE_enum("device", "auto", device.CHOICES, "Where the learner runs.")
    run(main)
