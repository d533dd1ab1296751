"""Evaluate a run on all test sources: python -m alfa_md.evaluate --run_dir=runs/proto_maml_alfa/seed0"""

from absl import flags

from alfa_md.evaluation.baselines import BASELINES
from alfa_md.evaluation.options import EvaluationOptions
from alfa_md.evaluation.run import evaluate_run
from alfa_md.evaluation.seeds import evaluate_seeds
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.main import parse_seeds, run
from alfa_md.system import device, distributed
from alfa_md.system.flag_values import refuse_words

FLAGS = flags.FLAGS


def main(argv: list[str]) -> int:
    refuse_words(argv)
    with distributed.process_group() as group:
        if FLAGS.seeds:
            return evaluate_seeds(FLAGS.run_dir, parse_seeds(FLAGS.seeds), evaluation_options(), group)
        return evaluate_run(RunDirectory(FLAGS.run_dir), evaluation_options(), group).exit_code


def evaluation_options() -> EvaluationOptions:
    """The options of an evaluation from the flags."""
    return EvaluationOptions(
        checkpoint=FLAGS.checkpoint,
        sources=FLAGS.sources,
        num_episodes=FLAGS.num_episodes,
        split=FLAGS.split,
        baselines=FLAGS.baselines,
        records_root_dir=FLAGS.records_root_dir,
        seed=FLAGS.seed,
        device=device.choose(FLAGS.device),
        query_std=FLAGS.query_std,
        gin_bindings=FLAGS.gin_bindings,
        name=FLAGS.name,
        trust=FLAGS.trust,
        grid=FLAGS.grid,
        choose_on=FLAGS.choose_on,
        choose_episodes=FLAGS.choose_episodes,
    )


if __name__ == "__main__":
    flags.DEFINE_string("run_dir", None, "Folder of a training run, or of several with --seeds.", required=True)
    flags.DEFINE_list("seeds", "", "Evaluates RUN_DIR/seed<k> for every k, e.g. 0,1,2; adds mean and std over seeds.")
    flags.DEFINE_string("checkpoint", "best", "best, last, a file, or ensemble: of the best ones, in addition to best.")
    flags.DEFINE_list("sources", "all", "all, all13, md_v2, or names separated by commas.")
    flags.DEFINE_integer("num_episodes", 600, "Number of episodes per source.", lower_bound=1)
    flags.DEFINE_enum("split", "test", ("train", "valid", "test"), "Split of the classes.")
    baselines = ", ".join(BASELINES)
    flags.DEFINE_list("baselines", "", f"Evaluated too, separated by commas: {baselines}.")
    flags.DEFINE_multi_string("grid", [], "NAME=VALUE,VALUE: hyperparameters to choose among on validation episodes.")
    flags.DEFINE_enum("choose_on", "valid", ("train", "valid", "test"), "Split of the choice; test is refused.")
    flags.DEFINE_integer("choose_episodes", 100, "Number of episodes of the choice per source.", lower_bound=1)
    flags.DEFINE_string(
        "records_root_dir", None, "Folder of records or images; default: as in training, else the run's own."
    )
    flags.DEFINE_integer("seed", 0, "Seed of the test episodes, which are the same for every run.", lower_bound=0)
    flags.DEFINE_boolean("query_std", False, "Also prints sqrt(p (1 - p)), as papers do; NOT a confidence interval.")
    flags.DEFINE_multi_string("gin_bindings", [], "Overrides the run's configuration; needs --name if results change.")
    flags.DEFINE_list("trust", [], "Modules besides alfa_md that the run's config.gin may import: docs/training.md.")
    flags.DEFINE_string("name", "", "Name of the results, which are written to results/test-NAME.json.")
    flags.DEFINE_string("cache_dir", None, "Folder for record indices and decoded images; default: ALFA_MD_CACHE.")
    flags.DEFINE_enum("device", "auto", device.CHOICES, "Device of the learner.")
    run(main)
