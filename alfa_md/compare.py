"""Compare two runs episode by episode: python -m alfa_md.compare RUN_A RUN_B"""

from absl import flags

from alfa_md.errors import UserError
from alfa_md.evaluation import comparison
from alfa_md.main import run

FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    if len(argv) != 3:
        raise UserError("compare needs two run directories or results files: python -m alfa_md.compare RUN_A RUN_B")
    comparison.compare_results(argv[1], argv[2], FLAGS.split)


if __name__ == "__main__":
    flags.DEFINE_enum("split", "test", ("train", "valid", "test"), "Split of the results in the run directories.")
    run(main)
