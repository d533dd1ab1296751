"""Export of a run: a folder of safetensors, config.gin, run.json, the measured results and a model card.

The folder opens as the run directory does. The optimiser, the metrics and the other checkpoints stay behind, and so do
the folders of the machine: of a path, the last part remains.
"""

from collections.abc import Collection
from pathlib import Path

from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import short_hash
from alfa_md.experiment.config import config_hash
from alfa_md.experiment.exported_weights import write_weights
from alfa_md.experiment.open_run import OpenedRun, open_run
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.reporting.card import Exported, model_card
from alfa_md.reporting.measured import Measured, measured_results
from alfa_md.reporting.portable import portable_bindings, portable_command, portable_content, portable_path
from alfa_md.reporting.summary import read_run
from alfa_md.system.drafts import draft_folder
from alfa_md.system.files import write_json, write_text

CARD, MEASURED = "README.md", "measured"
LONGEST = 100  # characters of a licence's name


def export_run(
    run: RunDirectory, target: Path, checkpoint: str = "best", licence: str = "MIT", trust: Collection[str] = ()
) -> Exported:
    """Writes the folder `target` and returns what its card tells; an interrupted export leaves nothing there.

    Raises UserError if `target` holds something, the checkpoint is missing, damaged or not finite, or its results are
    missing or of another checkpoint, or `target` cannot be written.
    """
    check_licence(licence)
    refuse_filled(target)
    opened = open_run(run, checkpoint, trust=trust)
    summary, text = read_run(run.path, run.path.name), run.config_text()
    name = "best" if checkpoint == "best" else run.checkpoint(checkpoint).stem
    measured = measured_results(summary, name, opened.hash, text)
    try:
        with draft_folder(target) as draft:
            weights, config = write_parts(draft, opened, portable_bindings(text), measured)
            exported = Exported(
                folder=target.name,
                facts=RunDirectory(draft).facts(),
                text=text,
                config=config,
                weights=weights,
                updates=opened.updates,
                cpu_minutes=(summary.last("cpu_seconds") or 0.0) / 60,
                measured=Measured(portable_content(measured.contents)),
                licence=licence,
            )
            write_text(draft / CARD, model_card(exported))
            draft.rename(target)
    except OSError as error:
        raise UserError(
            f"cannot write --to={target} ({error.strerror}); free some space or choose another folder; nothing is left "
            "of it"
        ) from error
    return exported


def write_parts(folder: Path, opened: OpenedRun, text: str, measured: Measured) -> tuple[str, str]:
    """Writes everything but the card; returns the hashes of weights and configuration."""
    target = RunDirectory(folder)
    write_weights(target.exported, opened.learner.state_dict(), opened.updates)
    write_text(target.config, text)
    facts = opened.facts | {"data_root": portable_path(opened.facts["data_root"])}
    if "command" in facts:
        facts["command"] = portable_command(str(facts["command"]))
    write_json(target.facts_file, portable_content(facts))
    (folder / MEASURED).mkdir()
    for number, (title, content) in enumerate(measured.contents.items()):
        write_json(folder / MEASURED / f"test{f'-{title}' if number else ''}.json", portable_content(content))
    return short_hash(target.exported.read_bytes()), config_hash(text)


def check_licence(licence: str) -> None:
    """Raises UserError unless this is the name of a licence in one line."""
    if not licence.strip() or not licence.isprintable() or len(licence) > LONGEST:
        raise UserError(f"--licence must name a licence in one line of at most {LONGEST} letters, such as MIT")


def refuse_filled(target: Path) -> None:
    """Raises UserError if `target` is a file or a folder that holds something."""
    if target.is_dir() and not target.is_symlink():
        if any(target.iterdir()):
            raise UserError(f"--to={target} is not empty; choose another folder, or remove it")
    elif target.exists() or target.is_symlink():
        raise UserError(f"--to={target} is a file; choose another name")
