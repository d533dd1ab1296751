"""Export a run's weights with a model card: python -m alfa_md.export --run_dir=RUN --to=FOLDER

FOLDER gets model.safetensors, config.gin, run.json, the measured results and README.md, and is taken as --run_dir by
evaluate, episodes, plot and others.
"""

from absl import flags

from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.main import run
from alfa_md.reporting.export import export_run
from alfa_md.system.flag_values import refuse_words
from alfa_md.system.progress import CONSOLE
from alfa_md.system.user_path import output_path

FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    refuse_words(argv)
    target = output_path(FLAGS.to)
    exported = export_run(RunDirectory(FLAGS.run_dir), target, FLAGS.checkpoint, FLAGS.licence, FLAGS.trust)
    CONSOLE.print(f"{target}: {exported.facts['name']} after {exported.updates} updates, hash {exported.weights}")
    for file in sorted(path for path in target.rglob("*") if path.is_file()):
        CONSOLE.print(f"{file}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    flags.DEFINE_string("run_dir", None, "Folder of a training run, evaluated on its test sources.", required=True)
    flags.DEFINE_string("to", None, "The folder to write, which must not exist or be empty.", required=True)
    flags.DEFINE_string("checkpoint", "best", "best, last or a checkpoint file.")
    flags.DEFINE_string("licence", "MIT", "The licence of the weights, for the card.")
    flags.DEFINE_list("trust", [], "Modules besides alfa_md that the run's config.gin may import: docs/training.md.")
    run(main)
