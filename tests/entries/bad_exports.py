"""Bad exports: runs that cannot be exported, places that cannot be exported to, and damaged exported runs."""

from collections.abc import Callable
from pathlib import Path

import torch

from alfa_md.experiment.exported_weights import write_weights
from alfa_md.experiment.safetensors_file import write_safetensors
from tests.entries import damage as d
from tests.entries.bad_input import BadInput, evaluate, train
from tests.entries.damage import Damage
from tests.entries.harness import with_defaults
from tests.entries.limits import small_disk

WEIGHTS = "run/model.safetensors"


def export(what: str, line: str, *flags: str, damage: Damage = d.nothing, **options) -> BadInput:
    return BadInput(what, "export", tuple(with_defaults(["--run_dir=run", "--to=new"], flags)), line, damage, **options)


def exported(folder: Path) -> None:
    """Makes the run an exported one."""
    content = torch.load(folder / d.BEST, weights_only=True)
    write_weights(folder / WEIGHTS, content["learner"], content["step"])
    (folder / "run" / "checkpoints").rename(folder / "checkpoints")


def after_export(change: Callable[[Path], object]) -> Damage:
    """Changes the weights of an exported run."""

    def damage(folder: Path) -> None:
        exported(folder)
        change(folder / WEIGHTS)

    return damage


def pickled(file: Path) -> None:
    """A checkpoint that runs code when unpickled, under the name of a file that holds none."""
    torch.save({"learner": d.Trap(file.parents[1] / "trace"), "step": 2}, file)


SECTIONS: dict[str, tuple[BadInput, ...]] = {
    "Exported runs": (
        export("to a folder that is not empty", "^--to=records is not empty; choose another folder", "--to=records"),
        export("to a file", "^--to=run/config.gin is a file; choose another name$", "--to=run/config.gin"),
        export("no run", "^nowhere is not a run directory", "--run_dir=nowhere"),
        export("no checkpoint", "^checkpoint run/checkpoints/best.pt does not exist", damage=d.removed(d.BEST)),
        export("weights that are not finite, to export", "values that are not finite: the training", damage=d.diverged),
        export(
            "no results",
            "^run has no test.json, and a model card holds its table; evaluate first: python -m alfa_md.evaluate --run",
            damage=d.removed(d.RESULTS),
        ),
        export(
            "results of another checkpoint",
            "^run/results/test.json is of another checkpoint; evaluate again: python -m alfa_md.evaluate --run_dir=run",
            damage=d.replaced(d.RESULTS, '"checkpoint": "', '"checkpoint": "0'),
        ),
        export("no room", r"^cannot write --to=new \(File too large\); free some", limit=lambda _: small_disk(5000)),
        export("a licence of two lines", "^--licence must name a licence in one line of at most", "--licence=a\nb"),
        evaluate(
            "the last checkpoint of an exported run",
            "^run is an exported run, with one checkpoint; leave --checkpoint=last out$",
            "--checkpoint=last",
            damage=exported,
        ),
        train(
            "an exported run to resume",
            "^run is an exported run, from which training cannot go on; choose another --run_dir, and bind PRETRAINED",
            "--run_dir=run",
            damage=exported,
        ),
        evaluate(
            "exported weights truncated",
            "^run/model.safetensors: is not a readable safetensors file",
            damage=after_export(lambda file: file.write_bytes(file.read_bytes()[:-100])),
        ),
        evaluate(
            "pickled code in their place: refused, not run",
            "^run/model.safetensors: claims a header of",
            damage=after_export(pickled),
        ),
        evaluate(
            "weights of something else",
            "^run/model.safetensors is not a checkpoint of this package; use another checkpoint$",
            damage=after_export(lambda file: write_safetensors(file, {"a": torch.ones(1)}, {})),
        ),
    ),
}
