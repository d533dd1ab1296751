"""Generation of results/COMMANDS.md, the commands that reproduce the stored results."""

from pathlib import Path

from scripts import paper_table, predictions_table
from scripts.studies import FEW_SHOT, OMNIGLOT, PARTS, REAL_TEN, SINE
from scripts.study import format_commands, load_results

TITLE = """# Commands of the stored results

Written from this folder with `RESULTS.md`; not edited by hand. RECORDS, IMAGES and DATA stand for folders of data, RUN
for a run directory. The studies run all of them: `python -m scripts.measure --help`.
"""
SOURCES = (  # of tests
    *((REAL_TEN, "ilsvrc_2012"), (OMNIGLOT, "omniglot"), (SINE, "sine")),
    *((FEW_SHOT, "omniglot_images"), (PARTS, "ilsvrc_2012")),
)


def commands_page(store: Path) -> str:
    """The text of the page; variants without results are left out."""
    parts = [TITLE]
    for study, source in SOURCES:
        if runs := load_results(store / study.name, source):
            parts += [f"## {study.name}\n", format_commands(study, runs)]
    parts += ["## predictions\n", predictions_table.commands(store / "predictions")]
    if lines := paper_table.commands(store):
        parts += ["## paper\n", *lines, ""]
    return "\n".join(parts)
