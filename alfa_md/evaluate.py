"""Evaluate a run on all test sources: python -m alfa_md.evaluate --run_dir=runs/proto_maml_alfa/seed0"""

from absl import flags

from alfa_md import device, distributed
from alfa_md.evaluation_run import Options, evaluate_run
from alfa_md.main import run
from alfa_md.run_directory import RunDirectory

FLAGS = flags.FLAGS


def main(argv: list[str]) -> int:
    with distributed.joined() as group:
        return evaluate_run(RunDirectory(FLAGS.run_dir), options(), group)


def options() -> Options:
    """The flags as one value."""
    return Options(
        checkpoint=FLAGS.checkpoint,
        sources=FLAGS.sources,
        num_episodes=FLAGS.num_episodes,
        split=FLAGS.split,
        baselines=FLAGS.baselines,
        records_root_dir=FLAGS.records_root_dir,
        seed=FLAGS.seed,
        device=device.choose(FLAGS.device),
    )


if __name__ == "__main__":
    flags.DEFINE_string("run_dir", None, "Folder of a training run.", required=True)
    flags.DEFINE_string("checkpoint", "best", "best, last or a checkpoint file.")
    flags.DEFINE_list("sources", "all", "all, or names separated by commas.")
    flags.DEFINE_integer("num_episodes", 600, "Episodes of every source.", lower_bound=1)
    flags.DEFINE_enum("split", "test", ("train", "valid", "test"), "Which classes.")
    flags.DEFINE_list("baselines", "", "Shown beside, separated by commas: untrained, pixel, feature.")
    flags.DEFINE_string(
        "records_root_dir", None, "Folder of records; default: META_DATASET_RECORDS, else the run's own."
    )
    flags.DEFINE_integer("seed", 0, "Draws the evaluation episodes: the same for every run.", lower_bound=0)
    flags.DEFINE_enum("device", "auto", device.CHOICES, "Where the learner runs.")
    run(main)
