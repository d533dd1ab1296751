"""The results of one checkpoint of a run: those of its learner, and those of the baselines beside them."""

from typing import NamedTuple

from alfa_md.errors import UserError
from alfa_md.evaluation.baselines import BASELINES
from alfa_md.evaluation.comparison import unit_of
from alfa_md.evaluation.tables import SourceRecords
from alfa_md.experiment.config import config_hash
from alfa_md.metrics import Unit
from alfa_md.reporting.summary import RunSummary


class Measured(NamedTuple):
    """Test results by title, the learner's first: the content of each results file."""

    contents: dict[str, dict]

    @property
    def protocol(self) -> dict:
        """The stamp of the learner's results."""
        return next(iter(self.contents.values()))["protocol"]

    @property
    def unit(self) -> Unit:
        return unit_of({"protocol": self.protocol})

    @property
    def records(self) -> dict[str, SourceRecords]:
        """The records of sources by title."""
        return {title: content["sources"] for title, content in self.contents.items()}


def measured_results(run: RunSummary, checkpoint: str, weights: str, text: str) -> Measured:
    """The results of the checkpoint called `checkpoint`, with the hash `weights`, under the configuration `text`.

    Baselines count if they are of the same configuration and episodes. Raises UserError if there are no results, or
    they are of another checkpoint or configuration.
    """
    stem = "test" if checkpoint == "best" else f"test-{checkpoint}"
    found = run.results.get("" if checkpoint == "best" else checkpoint)
    again = f"python -m alfa_md.evaluate --run_dir={run.path}"
    again += "" if checkpoint == "best" else f" --checkpoint={checkpoint}"
    if found is None:
        raise UserError(f"{run.path} has no {stem}.json, and a model card holds its table; evaluate first: {again}")
    own = {"checkpoint": weights, "config": config_hash(text)}
    if differing := [key for key, value in own.items() if found["protocol"].get(key) != value]:
        raise UserError(f"{run.path}/results/{stem}.json is of another {differing[0]}; evaluate again: {again}")
    contents = {run.facts["name"]: found}
    for name in BASELINES:
        other = run.results.get(name if checkpoint == "best" else f"{checkpoint}-{name}")
        if other and _belongs(other, found):
            contents[name] = other
    return Measured(contents)


def _belongs(baseline: dict, own: dict) -> bool:
    """True if a baseline's results are of the configuration, episodes and, if it has one, checkpoint of the learner."""
    theirs, ours = baseline["protocol"], own["protocol"]
    compared = ("config", "seed", *({"checkpoint"} & theirs.keys()))
    return all(theirs.get(key) == ours[key] for key in compared) and _episodes(baseline) == _episodes(own)


def _episodes(content: dict) -> dict[str, int]:
    return {source: record["episodes"] for source, record in content["sources"].items()}
