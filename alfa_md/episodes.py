"""Dump, replay or show the episodes of one source.

    python -m alfa_md.episodes dump --source=omniglot --num_episodes=20 --out=EPISODES  # to EPISODES/test/omniglot
    python -m alfa_md.episodes replay --source=omniglot --dumped=EPISODES               # one line per episode
    python -m alfa_md.episodes replay --source=omniglot --dumped=EPISODES --run_dir=RUN # with the scores of a run
    python -m alfa_md.episodes show --source=omniglot --index=3 --out=episode.png       # its images

Every episode has a fingerprint of its classes and records. Episodes are sampled as by `alfa_md.evaluate`, by the
configuration of a run or of gin files, or read from --dumped, in the format of Meta-Dataset's `dump_episodes`.
"""

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import torch
from absl import flags

from alfa_md.data.prefetch import prefetch
from alfa_md.data.roots import announcement
from alfa_md.data.spec import load_spec
from alfa_md.data.tfrecord.dump import dump_source
from alfa_md.data.tfrecord.dumped import DumpedSource
from alfa_md.data.tfrecord.record_files import RecordFiles
from alfa_md.data.tfrecord.source import RecordSource
from alfa_md.episode import EpisodeSource
from alfa_md.errors import UserError
from alfa_md.evaluation.scores import finite_score
from alfa_md.experiment import config, definition
from alfa_md.experiment.open_run import open_run
from alfa_md.learners.base import Learner
from alfa_md.main import run
from alfa_md.plotting import canvas
from alfa_md.plotting.grid import grid_figure
from alfa_md.system import device
from alfa_md.system.progress import CONSOLE, Progress
from alfa_md.system.user_path import output_path, user_path

FLAGS = flags.FLAGS
UNNAMED = "without fingerprint"
DUMPED = "include 'gin/parts/dumped.gin'"


def main(argv: list[str]) -> None:
    commands = {"dump": dump_episodes, "replay": replay_episodes, "show": show_episode}
    if len(argv) != 2 or argv[1] not in commands:
        raise UserError(f"episodes needs one word: python -m alfa_md.episodes {'|'.join(commands)}")
    commands[argv[1]](open_episodes(FLAGS.checkpoint if argv[1] == "replay" else None))


class OpenedEpisodes(NamedTuple):
    """A source of episodes, the folder of its records, and the learner that the configuration defines."""

    source: EpisodeSource
    directory: Path
    learner: Learner


def open_episodes(checkpoint: str | None) -> OpenedEpisodes:
    """Opens the episodes given by the flags, and the run's `checkpoint` with --run_dir.

    Raises UserError if they are missing, or two configurations are given.
    """
    bindings = [*([DUMPED] if FLAGS.dumped else []), *FLAGS.gin_bindings]
    if FLAGS.run_dir:
        if FLAGS["gin_config"].present:
            raise UserError("--run_dir has a configuration of its own; leave --gin_config out, or use --gin_bindings")
        opened = open_run(FLAGS.run_dir, checkpoint, FLAGS.records_root_dir, bindings, FLAGS.trust)
        known, facts = opened.experiment, opened.facts
    else:
        config.parse(FLAGS.gin_config, bindings)
        known, facts = definition.build_experiment(FLAGS.seed), None
    if FLAGS.dumped:
        path = Path(FLAGS.dumped)
    else:
        root = known.root(FLAGS.records_root_dir, facts)
        CONSOLE.print(announcement(root))
        path = root.path
    name = FLAGS.source or known.test_sources[0]
    source = known.evaluation(path, name, FLAGS.split, FLAGS.seed)
    if FLAGS.run_dir:  # gin files may also be those of a training
        config.refuse_uncalled(bindings)
    return OpenedEpisodes(source, path / name, known.learner)


def dump_episodes(given: OpenedEpisodes) -> None:
    """Writes episodes in the format of Meta-Dataset's `dump_episodes`."""
    if not FLAGS.out:
        raise UserError("dump needs a folder to write to, --out")
    if not isinstance(given.source, RecordSource):
        raise UserError(f"dump takes episodes drawn from records; this is a {type(given.source).__name__}")
    files = RecordFiles(load_spec(given.directory))
    with Progress(f"dump {given.source.name}", FLAGS.num_episodes) as progress:

        def indices():
            for index in range(FLAGS.num_episodes):
                yield index
                progress.advance()

        directory = dump_source(given.source, files, indices(), user_path(FLAGS.out), FLAGS.seed)
    CONSOLE.print(f"{directory}: {FLAGS.num_episodes} episodes")


@torch.no_grad()
def replay_episodes(given: OpenedEpisodes) -> None:
    """Prints one line per episode with its fingerprint, and the learner's score with --run_dir."""
    source, where, values = given.source, device.choose(FLAGS.device), []
    total = min(FLAGS.num_episodes, len(source)) if isinstance(source, DumpedSource) else FLAGS.num_episodes
    learner = given.learner.eval().to(where, memory_format=torch.channels_last)
    unit = learner.objective.unit
    with closing(prefetch(source, range(total), where)) as episodes:
        for episode in episodes:
            images = f"{len(episode.support_y)} support and {len(episode.query_y)} query images"
            line = f"{episode.index}: {fingerprint_text(source, episode.index)}, {episode.way}-way, {images}"
            if FLAGS.run_dir:
                values.append(finite_score(learner.objective, learner(episode), episode.query_y))
                line += ", diverged" if values[-1] is None else f", {unit.name} {unit.number(values[-1])} {unit.symbol}"
            CONSOLE.print(line.rstrip())
    if values:
        result = unit.mean(values)
        mean = f"{unit.interval(result)} {unit.symbol}".rstrip()
        CONSOLE.print(f"{source.name} {source.split}: {mean}{result.remark}")
        if result.diverged:
            CONSOLE.print(unit.rule)


def show_episode(given: OpenedEpisodes) -> None:
    """Writes the images of one episode as a PNG."""
    source, index = given.source, FLAGS.index
    drawn = source.episode(index).to(torch.device("cpu"))  # normalises uint8 images to [-1, 1]
    classes = [f"class {label}" for label in range(drawn.way)]
    if isinstance(source, RecordSource):
        names = load_spec(given.directory).class_names
        classes = [names[chosen.class_id] for chosen in source.draw(index)]
    path = output_path(FLAGS.out or f"{source.name}-{source.split}-{index}")
    path = path.with_name(f"{path.name.removesuffix('.png')}.png")
    with canvas.figure_style():
        canvas.write_files({path: canvas.render(grid_figure(drawn, fingerprint_text(source, index), classes), "png")})
    CONSOLE.print(f"{path}: {drawn.name}, {fingerprint_text(source, index)}")


def fingerprint_text(source: EpisodeSource, index: int) -> str:
    """The fingerprint of an episode, or a placeholder if its source has none."""
    return source.fingerprint(index) or UNNAMED


if __name__ == "__main__":
    flags.DEFINE_string("source", None, "Source of the episodes; default: the configuration's first test source.")
    flags.DEFINE_enum("split", "test", ("train", "valid", "test"), "Split of the episodes.")
    flags.DEFINE_integer("num_episodes", 600, "For dump and replay: number of episodes.", lower_bound=1)
    flags.DEFINE_integer("index", 0, "For show: index of the episode.", lower_bound=0)
    flags.DEFINE_integer("seed", 0, "Seed of the episodes, as in `alfa_md.evaluate`.", lower_bound=0)
    flags.DEFINE_string("out", None, "For dump: the folder to write to; for show: the PNG file.")
    flags.DEFINE_string("dumped", None, "For replay and show: a folder of dumped episodes in SPLIT/SOURCE.")
    flags.DEFINE_string("run_dir", None, "A training run, whose configuration is used; replay prints its scores.")
    flags.DEFINE_string("checkpoint", "best", "For replay with --run_dir: best, last or a checkpoint file.")
    flags.DEFINE_multi_string("gin_config", ["gin/prototypical.gin"], "Without --run_dir: gin files of the sampling.")
    flags.DEFINE_multi_string("gin_bindings", [], "Overrides the configuration, e.g. 'Sampling.num_ways = 5'.")
    flags.DEFINE_list("trust", [], "Modules besides alfa_md that the run's config.gin may import: docs/training.md.")
    flags.DEFINE_string("records_root_dir", None, "Folder of records; default: as `alfa_md.evaluate`.")
    flags.DEFINE_string("cache_dir", None, "Folder for record indices and decoded images; default: ALFA_MD_CACHE.")
    flags.DEFINE_enum("device", "auto", device.CHOICES, "Device of the learner in replay.")
    run(main)
