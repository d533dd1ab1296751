"""Draw figures of runs as PNG and SVG.

    python -m alfa_md.plot hyperparameters --run_dir=RUN    # rates and decays by inner step and tensor, over tasks
    python -m alfa_md.plot curves RUN...                    # training and validation of several runs
    python -m alfa_md.plot episode --run_dir=RUN            # images with predictions before and after adaptation
    python -m alfa_md.plot regression --run_dir=RUN         # the adapted curve after every inner step

--out sets the file names; files are written atomically.
"""

from pathlib import Path

from absl import flags

from alfa_md.errors import UserError
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.main import run
from alfa_md.plotting import canvas
from alfa_md.plotting.curves import plot_curves
from alfa_md.plotting.episode import plot_episode
from alfa_md.plotting.hyperparameters import plot_hyperparameters
from alfa_md.plotting.loaded_run import FigureOptions, load_run
from alfa_md.plotting.regression import plot_regression
from alfa_md.system import device
from alfa_md.system.progress import CONSOLE
from alfa_md.system.user_path import user_path

FLAGS = flags.FLAGS
NAMES = ("hyperparameters", "curves", "episode", "regression")


def main(argv: list[str]) -> None:
    name, paths = argv[1] if len(argv) > 1 else "", argv[2:]
    if name not in NAMES:
        raise UserError(f"plot needs the name of a figure: python -m alfa_md.plot {'|'.join(NAMES)}")
    with canvas.figure_style():
        written = plot_runs(paths) if name == "curves" else plot_run(name, paths)
    CONSOLE.print(f"{name}: {', '.join(map(str, written))}")


def plot_runs(paths: list[str]) -> list[Path]:
    """Draws the curves of the runs in `paths`; returns the files written."""
    if not paths:
        raise UserError("plot curves needs one run directory or more: python -m alfa_md.plot curves RUN...")
    if FLAGS.run_dir:
        raise UserError(f"--run_dir={FLAGS.run_dir}: plot curves takes its runs as words; write plot curves RUN...")
    return plot_curves(paths, canvas.output_stem(FLAGS.out, user_path(paths[0]), "curves"))


def plot_run(name: str, paths: list[str]) -> list[Path]:
    """Draws the figure `name` of the run in --run_dir; returns the files written."""
    if paths or not FLAGS.run_dir:
        raise UserError(f"plot {name} takes one run, as --run_dir=RUN")
    options = figure_options()
    loaded, stem = load_run(options), canvas.output_stem(FLAGS.out, options.run.path, name)
    if name == "hyperparameters":
        return plot_hyperparameters(loaded, FLAGS.num_episodes, FLAGS.step, stem)
    return {"episode": plot_episode, "regression": plot_regression}[name](loaded, FLAGS.index, stem)


def figure_options() -> FigureOptions:
    """The options of a figure from the flags."""
    return FigureOptions(
        run=RunDirectory(FLAGS.run_dir),
        checkpoint=FLAGS.checkpoint,
        source=FLAGS.source,
        split=FLAGS.split,
        seed=FLAGS.seed,
        records_root_dir=FLAGS.records_root_dir,
        device=device.choose(FLAGS.device),
        trust=FLAGS.trust,
    )


if __name__ == "__main__":
    flags.DEFINE_string("run_dir", None, "Folder of a training run; curves takes several, as arguments.")
    flags.DEFINE_string("out", None, "Files to write, without extension; default: RUN/figures/NAME, of the first run.")
    flags.DEFINE_string("checkpoint", "best", "best, last or a checkpoint file.")
    flags.DEFINE_string("source", None, "Source of the episodes; default: the run's first test source.")
    flags.DEFINE_enum("split", "test", ("train", "valid", "test"), "Split of the episodes.")
    flags.DEFINE_integer("num_episodes", 100, "For hyperparameters: number of episodes.", lower_bound=1)
    flags.DEFINE_integer(
        "step", None, "For hyperparameters: inner step, from 0, with enlarged spread over tasks; default: the last.",
        lower_bound=0,
    )  # fmt: skip
    flags.DEFINE_integer("index", 0, "For episode and regression: index of the episode.", lower_bound=0)
    flags.DEFINE_integer("seed", 0, "Seed of the episodes, which are the same for every run.", lower_bound=0)
    flags.DEFINE_list("trust", [], "Modules besides alfa_md that the run's config.gin may import: docs/training.md.")
    flags.DEFINE_string("records_root_dir", None, "Folder of records; default: as `alfa_md.evaluate`.")
    flags.DEFINE_string("cache_dir", None, "Folder for record indices and decoded images; default: ALFA_MD_CACHE.")
    flags.DEFINE_enum("device", "auto", device.CHOICES, "Device of the learner.")
    run(main)
