"""The choice of hyperparameters on validation episodes, before the test episodes are seen."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.table import Table

from alfa_md.errors import UserError
from alfa_md.evaluation.baselines import BASELINES, build_baseline, select_baselines
from alfa_md.evaluation.data_check import check_training_data
from alfa_md.evaluation.grid import Grid, Point, bindings, parse_grid, points
from alfa_md.evaluation.measurement import measure_sources
from alfa_md.evaluation.options import EvaluationOptions, evaluation_protocol
from alfa_md.evaluation.results import Results
from alfa_md.evaluation.tables import unit_description
from alfa_md.experiment import config
from alfa_md.experiment.checkpoint import load_learner
from alfa_md.experiment.open_run import OpenedRun, open_run
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.learners.base import Learner
from alfa_md.metrics import MeanCI, Unit, finite_or_none
from alfa_md.system.distributed import ProcessGroup
from alfa_md.system.progress import CONSOLE

OWN = ""  # the run's own learner, among the names of baselines
FOLDER = "choice"  # of the results of all points, below results/


class Choice(NamedTuple):
    """The chosen point of a grid as gin bindings, and the record of the choice for results files."""

    bindings: tuple[str, ...] = ()
    record: dict = {}


class PointScores(NamedTuple):
    """A point of a grid, and its results on the episodes that decide."""

    point: Point
    unit: Unit
    by_source: Mapping[str, MeanCI]
    data: Mapping[str, dict]  # source -> data stamp

    @property
    def mean(self) -> float:
        """The mean over sources by which points are ranked; NaN if one of them has none."""
        return sum(map(self.unit.rank, self.by_source.values())) / len(self.by_source)

    @property
    def merit(self) -> float:
        """The higher, the better."""
        return self.unit.sign * self.mean if math.isfinite(self.mean) else -math.inf

    def content(self) -> dict:
        """The numbers as JSON values, None for those that are not finite."""
        sources = {
            name: {"mean": finite_or_none(r.mean), "ci95": finite_or_none(r.ci95)} for name, r in self.by_source.items()
        }
        return {"values": dict(self.point), "mean": finite_or_none(self.mean), "sources": sources}


def grids(options: EvaluationOptions) -> dict[str, Grid]:
    """The grids of the run's own learner, under "", and of baselines, by name.

    A name of --grid belongs to the baseline whose learner has it, if that is evaluated. Raises UserError for a grid in
    another form, and if it would be chosen on test episodes, or on those that are evaluated.
    """
    own, found = parse_grid(options.grid), {}
    for name, baseline in select_baselines(options.baselines).items():
        if baseline.grid:
            given = {key: own.pop(key) for key in [*own] if key.partition(".")[0] == baseline.owner}
            found[name] = {**baseline.grid, **given}
    found = ({OWN: own} if own else {}) | found
    if options.choose_on == "test":
        raise UserError("--choose_on=test: hyperparameters chosen on test episodes spoil the test; give valid or train")
    if found and options.choose_on == options.split:
        raise UserError(
            f"--split={options.split}: hyperparameters are chosen on the same episodes; give another --choose_on"
        )
    return found


def choose_all(run: RunDirectory, options: EvaluationOptions, group: ProcessGroup) -> dict[str, Choice]:
    """The choices for the run's own learner and for baselines; changes the gin configuration of this process.

    Scores of all points are stored in results/choice/, and those there are taken from it. Raises UserError as `grids`.
    """
    return {name: choose(run, name, grid, options, group) for name, grid in grids(options).items()}


def choose(run: RunDirectory, name: str, grid: Grid, options: EvaluationOptions, group: ProcessGroup) -> Choice:
    """The point with the best mean over the run's validation sources, the first of equal ones.

    Raises UserError if a binding is invalid or without effect, or if episodes of all points diverge.
    """
    for point in points(grid):  # all are refused or none, before the first is scored
        config.parse([str(run.config)], [*options.gin_bindings, *bindings(point)], trusted=options.trust)
    scored = [score_point(run, name, point, options, group) for point in points(grid)]
    best = max(scored, key=lambda each: each.merit)
    if group.is_first:
        CONSOLE.print(choice_table(name or run.facts()["name"], scored, best, options))
        if at_end := values_at_end(grid, best.point):
            CONSOLE.print(f"{' and '.join(at_end)}: at an end of the grid; --grid takes other values")
    if best.merit == -math.inf:
        raise UserError(f"--grid: no point has a score on all {options.choose_on} sources; give other values")
    record = {
        "grid": {key: list(values) for key, values in grid.items()},
        "episodes": {"split": options.choose_on, "seed": options.seed, "number": options.choose_episodes}
        | {"sources": dict(best.data)},
        "points": [each.content() for each in scored],
        "chosen": dict(best.point),
    }
    return Choice(tuple(bindings(best.point)), record)


def values_at_end(grid: Grid, point: Point) -> list[str]:
    """The bindings of a point that are the smallest or largest of several numbers."""
    found = []
    for name, value in point.items():
        try:
            numbers = sorted(map(float, grid[name]))
        except ValueError:
            continue
        if len(numbers) > 1 and float(value) in (numbers[0], numbers[-1]):
            found.append(f"{name} = {value}")
    return found


def score_point(
    run: RunDirectory, name: str, point: Point, options: EvaluationOptions, group: ProcessGroup
) -> PointScores:
    """The results of a point on the first episodes of the run's validation sources."""
    bound = [*options.gin_bindings, *bindings(point)]
    opened = open_run(run, None, options.records_root_dir, bound, options.trust)
    trained, conditions = opened.experiment, options._replace(split=options.choose_on)
    loaded = load_learner(
        opened.learner, run.checkpoint("best" if options.checkpoint == "ensemble" else options.checkpoint)
    )
    learner = learner_of(name, opened)
    sources = [
        trained.evaluation(opened.root.path, source, options.choose_on, options.seed)
        for source in trained.validation_sources
    ]
    refuse_unused(point)
    check_training_data(run, trained, opened.root, sources, options.name)
    stamp = {"config": config.config_hash(run.config_text()), "checkpoint": loaded.hash, "bindings": bound}
    stamp |= evaluation_protocol(learner, trained, opened.root, conditions)
    results = Results(run.results / FOLDER / f"{file_stem(name or options.name, bound, point)}.json", stamp, group)
    if group.is_first:
        results.path.parent.mkdir(parents=True, exist_ok=True)
    measure_sources(results, learner, sources, options.choose_episodes, options.device)
    records, unit = {source.name: results.sources[source.name] for source in sources}, learner.objective.unit
    means = {source: unit.mean(record["scores"][: options.choose_episodes]) for source, record in records.items()}
    return PointScores(point, unit, means, {source: record["data"] for source, record in records.items()})


def learner_of(name: str, opened: OpenedRun) -> Learner:
    """The run's own learner, or the baseline `name`. Raises UserError if bindings of the one would act on the other."""
    if name == OWN:
        return opened.learner
    if type(opened.learner).__name__ == BASELINES[name].owner:
        raise UserError(f"--baselines={name}: the run's own learner is a {BASELINES[name].owner}; leave it out")
    return build_baseline(name, opened.experiment, opened.experiment, opened.learner.objective.unit)


def refuse_unused(point: Point) -> None:
    """Raises UserError for a name of a grid that nothing has read, so that all its values would give the same."""
    for name in point:
        if not config.is_used(name):
            raise UserError(f"--grid: nothing uses {name} in this evaluation, so that it would have no effect")


def file_stem(title: str, bound: Sequence[str], point: Point) -> str:
    """The file name of a point's results: its values, and a hash of all bindings."""
    values = "_".join(f"{name.rpartition('.')[2]}={value}" for name, value in point.items())
    digest = hashlib.sha256("\n".join(bound).encode()).hexdigest()[:8]
    return f"{title}-{re.sub(r'[^A-Za-z0-9_=.+-]', '_', values)[:80]}-{digest}"


def choice_table(title: str, scored: Sequence[PointScores], best: PointScores, options: EvaluationOptions) -> Table:
    """Terminal table of all points with their mean over sources; the chosen one is marked."""
    unit, sources = best.unit, best.by_source
    where = f"{options.choose_episodes} {options.choose_on} episodes of {', '.join(sources)}"
    interval = ", 95 % intervals" if len(sources) == 1 else ", mean over sources"
    result = Table(title=f"{title}, chosen on {where}: {unit_description(unit)}{interval}")
    for name in best.point:
        result.add_column(name.rpartition(".")[2], justify="right")
    result.add_column("mean", justify="right")
    result.add_column("")
    for each in scored:
        alone = next(iter(each.by_source.values())) if len(sources) == 1 else None
        text = unit.text(alone) if alone else unit.number(each.mean)
        result.add_row(*each.point.values(), text, "chosen" if each is best else "")
    return result
