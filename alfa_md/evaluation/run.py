"""Evaluation of a run directory: its checkpoint and baselines on every source, as a printed table and as files."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from alfa_md.data.fixed_way import FixedWay
from alfa_md.data.prepared import find_prepared
from alfa_md.data.roots import Root, announcement
from alfa_md.episode import EpisodeSource
from alfa_md.errors import MissingSource, MissingSplit, UserError
from alfa_md.evaluation.choice import OWN, Choice, choose_all, grids
from alfa_md.evaluation.data_check import check_measured_data, check_training_data
from alfa_md.evaluation.grid import parse_grid
from alfa_md.evaluation.measurement import measure_sources
from alfa_md.evaluation.models import models_to_evaluate
from alfa_md.evaluation.options import EvaluationOptions, evaluation_protocol
from alfa_md.evaluation.results import Results, Statistic, query_std
from alfa_md.evaluation.summary import write_summary
from alfa_md.evaluation.tables import SourceRecords, select_records
from alfa_md.experiment import config
from alfa_md.experiment.definition import ALL_13, MD_V2, Experiment
from alfa_md.experiment.memory_bindings import SAVING
from alfa_md.experiment.open_run import OpenedRun, open_run
from alfa_md.experiment.run_directory import SIZES, RunDirectory
from alfa_md.metrics import ACCURACY
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from alfa_md.system.progress import CONSOLE

DONE, MISSING_SOURCE = 0, 3  # exit codes
LISTS = {"all13": ALL_13, "md_v2": MD_V2}  # words for --sources
TRAINING = re.compile(r"\s*(train/[\w./]+|train\.\w+)\s*=")  # a binding of training, or in its scope


class RunEvaluation(NamedTuple):
    """The outcome of evaluating a run: exit code, and the records of the results files by learner and source."""

    exit_code: int
    stem: str  # of the table's files
    protocol: dict  # the stamp of the first learner
    by_learner: Mapping[str, SourceRecords]


def evaluate_run(run: RunDirectory, options: EvaluationOptions, group: ProcessGroup = SINGLE_PROCESS) -> RunEvaluation:
    """Evaluates a run, prints the table and writes results/<split>[-<name>].{json,csv,md}.

    After Ctrl-C or SIGTERM exits with code 128 + signal; the scores so far are stored and reused.
    """
    check_bindings(options)
    opened, choices = open_chosen(run, options, group)
    facts, trained, root = opened.facts, opened.experiment, opened.root
    CONSOLE.print(announcement(root))
    extra = extra_statistics(trained, options)
    models = list(models_to_evaluate(run, options.checkpoint, options.split, options.baselines, trained))
    names = select_sources(options.sources, trained, root)
    chosen, missing = open_sources(trained, root, names, options)
    config.refuse_uncalled(options.gin_bindings)
    check_training_data(run, trained, root, chosen, options.name)
    origin = {"config": config.config_hash(run.config_text()), "name": facts["name"]}
    origin["pretrained"] = facts.get("pretrained")
    origin |= {SIZES: facts[SIZES]} if SIZES in facts else {}
    if options.name:
        models = [model._replace(stem=f"{model.stem}-{options.name}") for model in models]
        origin["bindings"] = [*options.gin_bindings, *choices.get(OWN, Choice()).bindings]
    stamps = [
        origin
        | model.weights
        | evaluation_protocol(model.learner, trained, root, options)
        | ({"choice": choices[model.baseline].record} if model.baseline in choices else {})
        for model in models
    ]
    by_learner = {}
    for model, stamp in zip(models, stamps, strict=True):
        results = Results(run.results / f"{model.stem}.json", stamp, group, extra)
        check_measured_data(results, chosen)
        measure_sources(results, model.learner, chosen, options.num_episodes, options.device)
        results.refresh()  # another evaluation may have added to it
        by_learner[model.title] = select_records(results.sources, dict.fromkeys((*trained.test_sources, *names)))
    if group.is_first:
        write_summary(run.results / models[0].stem, by_learner, stamps[0], trained.train_sources, options.query_std)
    for name, reason in missing.items():
        CONSOLE.print(f"{name}: missing ({reason})")
    return RunEvaluation(MISSING_SOURCE if missing else DONE, models[0].stem, stamps[0], by_learner)


def open_chosen(
    run: RunDirectory, options: EvaluationOptions, group: ProcessGroup
) -> tuple[OpenedRun, Mapping[str, Choice]]:
    """The run with the bindings that were chosen, if there is something to choose, and the choices by baseline."""
    opened = open_run(run, None, options.records_root_dir, options.gin_bindings, options.trust)
    if not grids(options):
        return opened, {}
    select_sources(options.sources, opened.experiment, opened.root)  # refused before a choice, which takes long
    choices = choose_all(run, options, group)
    bound = [*options.gin_bindings, *(binding for choice in choices.values() for binding in choice.bindings)]
    return open_run(run, None, options.records_root_dir, bound, options.trust), choices


def check_bindings(options: EvaluationOptions) -> None:
    """Raises UserError for bindings that act in training alone, or whose results have no valid name of their own."""
    for line in "\n".join(options.gin_bindings).splitlines():
        if found := TRAINING.match(line):
            raise UserError(f"gin: {found[1]} acts in training alone, and evaluate does not train; leave it out")
    for name in parse_grid(options.grid):
        if found := TRAINING.match(f"{name} ="):
            raise UserError(f"--grid: {found[1]} acts in training alone, and evaluate does not train; leave it out")
    changing = [binding for binding in options.gin_bindings if binding.split("=")[0].strip() not in SAVING]
    if changing and not options.name:
        raise UserError("--gin_bindings change what is evaluated; give --name, and results/test-NAME.json will hold it")
    if OWN in grids(options) and not options.name:
        name = next(iter(grids(options)[OWN]))
        raise UserError(f"--grid changes {name} of the run; give --name, and results/test-NAME.json will hold it")
    if not re.fullmatch(r"[\w-]*", options.name):
        raise UserError(f"--name={options.name}: goes into file names; use letters, digits, - and _")


def select_sources(names: Sequence[str], trained: Experiment, root: Root) -> tuple[str, ...]:
    """The names of the sources to evaluate; `all` stands for the test sources, `all13` and `md_v2` for lists of papers.

    Raises UserError for names that are unknown or cannot be printed, as results files and tables must.
    """
    if list(names) == ["all"]:
        names = trained.test_sources
    if len(names) == 1 and names[0] in LISTS:
        return listed_sources(names[0], root)
    if unprintable := [name for name in names if not name.isprintable()]:
        raise UserError(f"source {unprintable[0]!r} has characters that cannot be printed; rename it")
    if tuple(names) == trained.test_sources:
        return trained.test_sources
    if not names or "" in names:
        raise UserError("--sources has an empty name; give all, or names separated by commas")
    for name in names:
        there = (root.path / name).is_dir() or find_prepared(root.path, name)
        if name not in trained.test_sources and not there:
            raise UserError(f"--sources: unknown source {name}; there are: {', '.join(trained.test_sources)}")
    return tuple(names)


def listed_sources(word: str, root: Root) -> tuple[str, ...]:
    """The sources of a list in Meta-Dataset's records. Raises UserError for a run on other data."""
    if root.kind not in ("records", "miniature"):
        raise UserError(
            f"--sources={word}: these are sources of Meta-Dataset's records, which this run has not; give all"
        )
    return LISTS[word]


def open_sources(
    trained: Experiment, root: Root, names: Sequence[str], options: EvaluationOptions
) -> tuple[list[EpisodeSource], dict[str, str]]:
    """Opens the available sources that have the split; also returns the reasons for missing ones, by name.

    Sources without the split are skipped with a printed line. Raises UserError if no available source has it.
    """
    found, skipped, missing = [], [], {}
    for name in names:
        try:
            found.append(trained.evaluation(root.path, name, options.split, options.seed))
        except MissingSource as error:
            missing[name] = str(error).splitlines()[0]  # gin appends lines to errors raised through it
        except MissingSplit:
            skipped.append(name)
            CONSOLE.print(f"{name}: has no {options.split} split, skipped")
    if skipped and not found:
        raise UserError(f"--split={options.split}: none of {', '.join(skipped)} has it; choose other --sources")
    return found, missing


def extra_statistics(trained: Experiment, options: EvaluationOptions) -> dict[str, Statistic]:
    """Statistics stored besides mean and interval. Raises UserError for --query_std if it does not apply."""
    if trained.learner.objective.unit == ACCURACY and isinstance(trained.sampling, FixedWay):
        return {"query_std": query_std}
    if options.query_std:
        raise UserError("--query_std is of classification with Experiment.sampling = @FixedWay(); leave it out")
    return {}
