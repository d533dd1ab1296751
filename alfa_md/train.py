"""Meta-train a learner: python -m alfa_md.train --gin_config=gin/proto_maml_alfa.gin"""

from pathlib import Path

from absl import flags

from alfa_md import device, distributed
from alfa_md.errors import UserError
from alfa_md.main import run
from alfa_md.run_directory import RunDirectory
from alfa_md.training_run import Options, train_run

FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    if not FLAGS.gin_config:
        raise UserError("--gin_config is missing, e.g. --gin_config=gin/proto_maml_alfa.gin")
    name = "+".join(Path(file).stem for file in FLAGS.gin_config)
    folder = RunDirectory(FLAGS.run_dir or f"runs/{name}/seed{FLAGS.seed}")
    with distributed.joined() as group:
        place = device.choose(FLAGS.device)
        train_run(
            folder,
            Options(name, FLAGS.gin_config, FLAGS.gin_bindings, FLAGS.records_root_dir, FLAGS.seed, place),
            group,
        )


if __name__ == "__main__":
    flags.DEFINE_multi_string("gin_config", [], "A gin file, e.g. gin/proto_maml_alfa.gin; repeat it to add others.")
    flags.DEFINE_multi_string("gin_bindings", [], "Overrides the files, e.g. 'train.num_updates = 10'.")
    flags.DEFINE_string("records_root_dir", None, "Default: META_DATASET_RECORDS, else the embedded miniature.")
    flags.DEFINE_string("run_dir", None, "Folder of this run; default: runs/<gin files>/seed<seed>.")
    flags.DEFINE_integer("seed", 0, "Draws initial weights and episodes.", lower_bound=0)
    flags.DEFINE_enum("device", "auto", device.CHOICES, "Where the learner runs.")
    run(main)
