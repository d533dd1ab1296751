"""Meta-train a learner: python -m alfa_md.train --gin_config=gin/proto_maml_alfa.gin"""

from pathlib import Path

from absl import flags

from alfa_md.errors import UserError
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.main import parse_seeds, run
from alfa_md.system import device, distributed
from alfa_md.system.flag_values import refuse_words
from alfa_md.training.run import TrainingOptions, train_run

FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    refuse_words(argv)
    if not FLAGS.gin_config:
        raise UserError("--gin_config is missing, e.g. --gin_config=gin/proto_maml_alfa.gin")
    name = "+".join(Path(file).stem for file in FLAGS.gin_config)
    folders = run_directories(name)
    with distributed.process_group() as group:
        place = device.choose(FLAGS.device)
        for seed, folder in folders.items():
            options = TrainingOptions(name, FLAGS.gin_config, FLAGS.gin_bindings, FLAGS.records_root_dir, seed, place)
            train_run(RunDirectory(folder), options, group)


def run_directories(name: str) -> dict[int, Path]:
    """The run directory of every seed in --seed or --seeds, in order. Raises UserError for both or an invalid seed."""
    if not FLAGS.seeds:
        return {FLAGS.seed: Path(FLAGS.run_dir or f"runs/{name}/seed{FLAGS.seed}")}
    if FLAGS["seed"].present:
        raise UserError("--seed and --seeds exclude each other; give one of them")
    parent = Path(FLAGS.run_dir or f"runs/{name}")
    return {seed: parent / f"seed{seed}" for seed in parse_seeds(FLAGS.seeds)}


if __name__ == "__main__":
    flags.DEFINE_multi_string("gin_config", [], "A gin file, e.g. gin/proto_maml_alfa.gin; repeat it to add others.")
    flags.DEFINE_multi_string("gin_bindings", [], "Overrides the files, e.g. 'train.num_updates = 10'.")
    flags.DEFINE_string(
        "records_root_dir", None, "Folder of records or images; default: META_DATASET_RECORDS or ALFA_MD_IMAGES."
    )
    flags.DEFINE_string("run_dir", None, "Run directory, or with --seeds their parent; default: in runs/<gin files>.")
    flags.DEFINE_integer("seed", 0, "Seed of initial weights and episodes.", lower_bound=0)
    flags.DEFINE_list("seeds", "", "Trains in RUN_DIR/seed<k> for every k, e.g. 0,1,2; finished runs are skipped.")
    flags.DEFINE_string("cache_dir", None, "Folder for record indices and decoded images; default: ALFA_MD_CACHE.")
    flags.DEFINE_enum("device", "auto", device.CHOICES, "Device of the learner.")
    run(main)
