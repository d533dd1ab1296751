"""Generation of RESULTS.md from the stored results."""

import json
from pathlib import Path

from scripts import (
    few_shot_table,
    omniglot_table,
    paper_table,
    parts_table,
    predictions_table,
    real_ten_table,
    sine_table,
)
from scripts.commands_page import commands_page
from scripts.prose import wrapped

TITLE = """# Results

Written from `results/` by `python -m scripts.measure`, `scripts/reproduce.sh` or `python scripts/soak.py`; not
edited by hand. The commands: `results/COMMANDS.md`.
"""


def write_results(store: Path, root: Path) -> None:
    """Writes RESULTS.md and results/COMMANDS.md in `root` from the results stored in `store`."""
    (root / "RESULTS.md").write_text(results_page(store), "utf-8")
    (root / "results" / "COMMANDS.md").write_text(commands_page(store), "utf-8")


def results_page(store: Path) -> str:
    """The text of RESULTS.md; missing results are listed as unmeasured."""
    sections = [
        TITLE,
        real_ten_table.section(store / "real_ten"),
        omniglot_table.section(store / "omniglot"),
        sine_table.section(store / "sine"),
        few_shot_table.section(store / "few_shot"),
        predictions_table.section(store / "predictions"),
        parts_table.section(store / "parts"),
        paper_table.section(store),
        soak_section(store / "soak.json"),
    ]
    return "\n".join(sections)


def soak_section(file: Path) -> str:
    """The section on scripts/soak.py."""
    title = "## A long run with kills\n\n"
    if not file.exists():
        return title + "Unmeasured; `python scripts/soak.py --num_updates=6000 --kills=20` measures it.\n"
    soak = json.loads(file.read_text("utf-8"))
    updates, kills = soak["updates"], soak["killed_after"]
    second, last = (f"{soak[f'memory_{quarter}_quarter']:.0f} MB" for quarter in ("second", "last"))
    time = f"{soak['machine']}, one thread a run: {soak['minutes']:.0f} minutes left alone"
    text = f"""Quickstart-size training (`gin/proto_maml_alfa.gin`, `gin/quickstart.gin`), {updates} updates,
seed 0, {time}, and once more killed {len(kills)} times at random moments (after updates {", ".join(map(str, kills))}).
Both ended with the same last and best checkpoint and the same curves, bit for bit. Resident memory of the uninterrupted
run: at most
{second} in its second quarter, {last} in its last. Command:
`python scripts/soak.py --num_updates={updates} --kills={len(kills)}`"""
    return title + wrapped(" ".join(text.split())) + "\n"
