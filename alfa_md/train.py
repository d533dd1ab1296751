"""Meta-train a learner: python -m alfa_md.train --gin_config=gin/proto_maml_alfa.gin"""

from pathlib import Path

from absl import flags

from alfa_md import config, device, experiment, training
from alfa_md.data.roots import announcement, records_root
from alfa_md.errors import UserError
from alfa_md.main import run
from alfa_md.progress import CONSOLE
from alfa_md.run_directory import RunDirectory

FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    if not FLAGS.gin_config:
        raise UserError("--gin_config is missing, e.g. --gin_config=gin/proto_maml_alfa.gin")
    config.parse(FLAGS.gin_config, FLAGS.gin_bindings)
    name = "+".join(Path(file).stem for file in FLAGS.gin_config)
    folder = RunDirectory(FLAGS.run_dir or f"runs/{name}/seed{FLAGS.seed}")
    place = device.choose(FLAGS.device)
    root = records_root(FLAGS.records_root_dir)
    CONSOLE.print(announcement(root))
    facts = {"name": name, "seed": FLAGS.seed, "data_root": str(root.path), "data_kind": root.kind}
    state = training.train(experiment.build(FLAGS.seed), folder, root.path, facts, place)
    CONSOLE.print(f"{state.step} updates done; best validation accuracy {100 * state.best:.2f} %")
    CONSOLE.print(f"Run directory: {folder.path}")


if __name__ == "__main__":
    flags.DEFINE_multi_string("gin_config", [], "A gin file, e.g. gin/proto_maml_alfa.gin; repeat it to add others.")
    flags.DEFINE_multi_string("gin_bindings", [], "Overrides the files, e.g. 'train.num_updates = 10'.")
    flags.DEFINE_string("records_root_dir", None, "Default: META_DATASET_RECORDS, else the embedded miniature.")
    flags.DEFINE_string("run_dir", None, "Folder of this run; default: runs/<gin files>/seed<seed>.")
    flags.DEFINE_integer("seed", 0, "Draws initial weights and episodes.", lower_bound=0)
    flags.DEFINE_enum("device", "auto", device.CHOICES, "Where the learner runs.")
    run(main)
