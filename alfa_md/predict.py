"""Predict pictures after adapting to labelled ones:

    python -m alfa_md.predict --run_dir=RUN --support=LABELLED --query=PICTURES --out=predictions.csv

LABELLED has one folder of pictures for each class, or is a CSV file with the columns file and class. The file of --out
has the class of each picture and the probability of every class, the page beside it, predictions.html, the pictures.
"""

from absl import flags

from alfa_md.errors import UserError
from alfa_md.experiment.definition import Experiment
from alfa_md.experiment.open_run import open_run
from alfa_md.experiment.open_weights import open_weights
from alfa_md.experiment.predict import find_pictures, predict_pictures
from alfa_md.main import run
from alfa_md.reporting.predictions import write_predictions
from alfa_md.system import device
from alfa_md.system.flag_values import refuse_words
from alfa_md.system.user_path import output_path

FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    refuse_words(argv)
    task, out = find_pictures(FLAGS.support, FLAGS.query), output_path(FLAGS.out)
    out = out.with_name(f"{out.name.removesuffix('.csv')}.csv")
    title, experiment = opened()
    experiment.learner.to(device.choose(FLAGS.device))
    predictions = predict_pictures(experiment, task, FLAGS.calibrate, FLAGS.skip_unreadable)
    write_predictions(predictions, out, title)


def opened() -> tuple[str, Experiment]:
    """A title and the experiment with trained weights that the flags name. Raises UserError for none and for two."""
    if bool(FLAGS.run_dir) == bool(FLAGS.gin_config):
        raise UserError("give --run_dir=RUN, or --gin_config with --checkpoint or PRETRAINED: one of the two")
    if FLAGS.run_dir:
        found = open_run(FLAGS.run_dir, FLAGS.checkpoint or "best", None, FLAGS.gin_bindings, FLAGS.trust)
        return f"{found.facts['name']}, update {found.updates}", found.experiment
    return " + ".join(FLAGS.gin_config), open_weights(FLAGS.gin_config, FLAGS.gin_bindings, FLAGS.checkpoint)


if __name__ == "__main__":
    flags.DEFINE_string("support", None, "Labelled pictures: a folder of class folders, or a CSV file.", required=True)
    flags.DEFINE_string("query", None, "Pictures to predict: a folder, with folders in it, or one.", required=True)
    flags.DEFINE_string("out", "predictions.csv", "The CSV file to write; the page beside it has the ending .html.")
    flags.DEFINE_string("run_dir", None, "A training run, whose learner adapts.")
    flags.DEFINE_string("checkpoint", None, "best (default), last or a file; with --gin_config: a file.")
    flags.DEFINE_multi_string("gin_config", [], "Without --run_dir: gin files of the learner; see --checkpoint.")
    flags.DEFINE_multi_string("gin_bindings", [], "Overrides the configuration, e.g. 'GradientLearner.num_steps = 5'.")
    flags.DEFINE_list("trust", [], "Modules besides alfa_md that the run's config.gin may import: docs/training.md.")
    flags.DEFINE_boolean("calibrate", False, "Fits the probabilities by leave-one-out; prints the expected accuracy.")
    flags.DEFINE_boolean("skip_unreadable", False, "Leaves out pictures of --query that cannot be read; lists them.")
    flags.DEFINE_enum("device", "auto", device.CHOICES, "Device of the learner.")
    run(main)
