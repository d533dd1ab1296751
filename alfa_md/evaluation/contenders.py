"""Who is in a table of results: a run's checkpoint, the ensemble of its best ones, and baselines."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from alfa_md.errors import UserError
from alfa_md.evaluation import baselines
from alfa_md.experiment import definition
from alfa_md.experiment.checkpoint import file_hash, load_learner
from alfa_md.experiment.definition import Experiment
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.learners.base import Learner
from alfa_md.learners.ensemble import Ensemble

ENSEMBLE = "ensemble"  # the --checkpoint that asks for it


class Contender(NamedTuple):
    """A learner in the table: its title, the stem of its results file, and which weights it has."""

    title: str
    stem: str
    learner: Learner
    weights: dict


def line_up(
    run: RunDirectory, checkpoint: str, split: str, names: Sequence[str], trained: Experiment
) -> Iterator[Contender]:
    """The run's checkpoint, loaded into `trained`, after the ensemble where that is asked for; then the baselines."""
    facts = run.facts()
    if checkpoint == ENSEMBLE:
        yield ensemble(run, f"{split}-{ENSEMBLE}")
        checkpoint = "best"
    file = run.checkpoint(checkpoint)
    content = load_learner(trained.learner, file)
    stem = split if checkpoint == "best" else f"{split}-{file.stem}"
    weights = {"checkpoint": file_hash(file), "updates": content["step"]}
    yield Contender(facts["name"], stem, trained.learner, weights)
    for name, baseline in baselines.named(names).items():
        learner = baseline(trained, definition.build(facts["seed"]))
        if learner.objective.unit != trained.learner.objective.unit:
            raise UserError(f"--baselines: {name} is judged by {learner.objective.unit.name}, this run is not; drop it")
        yield Contender(name, f"{stem}-{name}", learner, weights if name == "feature" else {"updates": 0})


def ensemble(run: RunDirectory, stem: str) -> Contender:
    """The run's checkpoints of the best validations as one learner. Raises UserError where the run has kept none."""
    facts, files = run.facts(), run.ensemble()
    members, weights = [], {"checkpoint": [], "updates": []}
    for file in files:
        members.append(definition.build(facts["seed"]).learner)
        weights["updates"].append(load_learner(members[-1], file)["step"])
        weights["checkpoint"].append(file_hash(file))
    return Contender(f"{facts['name']}, ensemble of {len(files)}", stem, Ensemble(members), weights)
