"""Write an HTML report on runs: python -m alfa_md.report RUN... [--out=report.html]"""

from absl import flags

from alfa_md.errors import UserError
from alfa_md.main import run
from alfa_md.reporting import page

FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    if len(argv) < 2:
        raise UserError("report needs one run directory or more: python -m alfa_md.report RUN...")
    page.write_report(argv[1:], FLAGS.out)


if __name__ == "__main__":
    flags.DEFINE_string("out", "report.html", "The HTML file to write; it is self-contained.")
    run(main)
