"""Models that an evaluation of a run scores: its checkpoint, the ensemble of its best checkpoints, and baselines."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from alfa_md.evaluation import baselines
from alfa_md.experiment import definition
from alfa_md.experiment.checkpoint import load_learner
from alfa_md.experiment.definition import Experiment
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.learners.base import Learner
from alfa_md.learners.ensemble import Ensemble

ENSEMBLE = "ensemble"  # value of --checkpoint


class EvaluatedModel(NamedTuple):
    """A learner with its title in tables, the stem of its results file, and the stamp of its weights."""

    title: str
    stem: str
    learner: Learner
    weights: dict
    baseline: str = ""  # its name in --baselines; "" for the run's own


def models_to_evaluate(
    run: RunDirectory, checkpoint: str, split: str, names: Sequence[str], trained: Experiment
) -> Iterator[EvaluatedModel]:
    """Yields the ensemble if requested, then the run's checkpoint, loaded into `trained`, then the baselines `names`.

    Raises UserError if a baseline's scores have another unit than the run's.
    """
    facts = run.facts()
    if checkpoint == ENSEMBLE:
        yield load_ensemble(run, f"{split}-{ENSEMBLE}")
        checkpoint = "best"
    file = run.checkpoint(checkpoint)
    loaded = load_learner(trained.learner, file)
    stem = split if checkpoint == "best" else f"{split}-{file.stem}"
    weights = {"checkpoint": loaded.hash, "updates": loaded.updates}
    yield EvaluatedModel(facts["name"], stem, trained.learner, weights)
    for name, baseline in baselines.select_baselines(names).items():
        initial, unit = definition.build_experiment(facts["seed"]), trained.learner.objective.unit
        learner = baselines.build_baseline(name, trained, initial, unit)
        yield EvaluatedModel(name, f"{stem}-{name}", learner, weights if baseline.is_trained else {"updates": 0}, name)


def load_ensemble(run: RunDirectory, stem: str) -> EvaluatedModel:
    """The run's checkpoints with the best validations as one learner. Raises UserError if the run has kept none."""
    facts, files = run.facts(), run.ensemble_checkpoints()
    members, weights = [], {"checkpoint": [], "updates": []}
    for file in files:
        members.append(definition.build_experiment(facts["seed"]).learner)
        loaded = load_learner(members[-1], file)
        weights["updates"].append(loaded.updates)
        weights["checkpoint"].append(loaded.hash)
    return EvaluatedModel(f"{facts['name']}, ensemble of {len(files)}", stem, Ensemble(members), weights)
