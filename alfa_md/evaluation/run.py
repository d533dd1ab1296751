"""A run directory evaluated: its checkpoint and the baselines on every source, as a table and as files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import NamedTuple

import torch

from alfa_md.data.fixed_way import FixedWay
from alfa_md.data.roots import Root, announcement
from alfa_md.episode import EpisodeSource
from alfa_md.errors import MissingSource, MissingSplit, UserError
from alfa_md.evaluation.contenders import Contender, line_up
from alfa_md.evaluation.results import Results, Statistic, query_std
from alfa_md.evaluation.tables import Further, Records, as_csv, as_markdown, column, in_words, picked, table
from alfa_md.experiment import config, definition
from alfa_md.experiment.definition import Experiment
from alfa_md.experiment.out_of_memory import SAVING
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.learners.base import Learner
from alfa_md.metrics import ACCURACY
from alfa_md.system.distributed import SINGLE_PROCESS, ProcessGroup
from alfa_md.system.files import write_text
from alfa_md.system.interruption import Interruption
from alfa_md.system.progress import CONSOLE

DONE, MISSING_SOURCE = 0, 3  # exit codes


class Options(NamedTuple):
    """What the flags of `python -m alfa_md.evaluate` ask for."""

    checkpoint: str
    sources: Sequence[str]
    num_episodes: int
    split: str
    baselines: Sequence[str]
    records_root_dir: str | None
    seed: int
    device: torch.device
    query_std: bool = False
    gin_bindings: Sequence[str] = ()  # on top of the run's own configuration
    name: str = ""  # of the results under these


class Evaluated(NamedTuple):
    """What came of it: the exit code, and by learner and source what the results files hold."""

    code: int
    stem: str  # of the files of the table
    protocol: dict  # the stamp of the first learner
    measured: Mapping[str, Records]


def evaluate_run(run: RunDirectory, options: Options, group: ProcessGroup = SINGLE_PROCESS) -> Evaluated:
    """Evaluates, prints the table and writes results/<split>[-<name>].{json,csv,md}.

    Ends the process with 128 + signal after Ctrl-C or SIGTERM; the episodes done are kept and not run again.
    """
    refuse_unnamed(options)
    facts = run.facts()
    config.parse([str(run.config)], options.gin_bindings)
    trained = definition.build(facts["seed"])
    root = trained.root(options.records_root_dir, facts)
    CONSOLE.print(announcement(root))
    further = statistics(trained, options)
    contenders = list(line_up(run, options.checkpoint, options.split, options.baselines, trained))
    names = chosen_sources(options.sources, trained, root)
    chosen, missing = opened(trained, root, names, options)
    origin = {"config": config.fingerprint(run.config.read_text()), "name": facts["name"]}
    origin["pretrained"] = facts.get("pretrained")
    if options.name:
        contenders = [who._replace(stem=f"{who.stem}-{options.name}") for who in contenders]
        origin["bindings"] = list(options.gin_bindings)
    stamps = [origin | who.weights | protocol(who.learner, trained, root, options) for who in contenders]
    measured = {}
    for who, stamp in zip(contenders, stamps, strict=True):
        results = Results(run.results / f"{who.stem}.json", stamp, group, further)
        measure_all(results, who.learner, chosen, options)
        measured[who.title] = picked(results.sources, dict.fromkeys((*trained.test_sources, *names)))
    if group.is_first:
        publish(run, contenders[0], measured, options, root, stamps[0])
    for name, reason in missing.items():
        CONSOLE.print(f"{name}: missing ({reason})")
    return Evaluated(MISSING_SOURCE if missing else DONE, contenders[0].stem, stamps[0], measured)


def refuse_unnamed(options: Options) -> None:
    """Raises UserError where results under other bindings would take the place of the run's own."""
    changing = [binding for binding in options.gin_bindings if binding.split("=")[0].strip() not in SAVING]
    if changing and not options.name:
        raise UserError("--gin_bindings change what is evaluated; give --name, and results/test-NAME.json will hold it")
    if not re.fullmatch(r"[\w-]*", options.name):
        raise UserError(f"--name={options.name}: goes into file names; use letters, digits, - and _")


def measure_all(results: Results, learner: Learner, chosen: Sequence[EpisodeSource], options: Options) -> None:
    """Measures a learner on sources; raises SystemExit, what is done being kept, when a signal asks to stop."""
    learner = learner.to(options.device, memory_format=torch.channels_last)
    with Interruption() as stop:
        for source in chosen:
            if not results.measure(learner, source, options.num_episodes, options.device, stop):
                CONSOLE.print(f"stopped within {source.name}; the same command goes on from there")
                raise SystemExit(stop.exit_code)


def chosen_sources(names: Sequence[str], trained: Experiment, root: Root) -> tuple[str, ...]:
    """The sources of these names; `all` alone means the test sources. Raises UserError for a name nothing knows."""
    if list(names) == ["all"]:
        return trained.test_sources
    if not names or "" in names:
        raise UserError("--sources has an empty name; give all, or names separated by commas")
    for name in names:
        if name not in trained.test_sources and not (root.path / name).is_dir():
            raise UserError(f"--sources: unknown source {name}; there are: {', '.join(trained.test_sources)}")
    return tuple(names)


def opened(
    trained: Experiment, root: Root, names: Sequence[str], options: Options
) -> tuple[list[EpisodeSource], dict[str, str]]:
    """The sources that are there and have the split, and why others are missing; those without it are skipped by name.

    Raises UserError where sources are there and none has the split.
    """
    found, skipped, missing = [], [], {}
    for name in names:
        try:
            found.append(trained.evaluation(root.path, name, options.split, options.seed))
        except MissingSource as error:
            missing[name] = str(error).splitlines()[0]  # gin adds lines of its own to what passes through it
        except MissingSplit:
            skipped.append(name)
            CONSOLE.print(f"{name}: has no {options.split} split, skipped")
    if skipped and not found:
        raise UserError(f"--split={options.split}: none of {', '.join(skipped)} has it; choose other --sources")
    return found, missing


def statistics(trained: Experiment, options: Options) -> dict[str, Statistic]:
    """What results hold beside mean and interval. Raises UserError for a --query_std that there is not."""
    if trained.learner.objective.unit == ACCURACY and isinstance(trained.sampling, FixedWay):
        return {"query_std": query_std}
    if options.query_std:
        raise UserError("--query_std is of classification with Experiment.sampling = @FixedWay(); leave it out")
    return {}


def protocol(learner: Learner, trained: Experiment, root: Root, options: Options) -> dict:
    """What a result depends on, whatever the source, as plain values; and the unit of its scores."""
    conditions = {
        "split": options.split,
        "seed": options.seed,
        "device": options.device.type,
        "sampling": asdict(trained.sampling),
        "unit": learner.objective.unit.name,
    }
    return conditions | {"data_root": str(root.path), "data_kind": root.kind} | learner.stamp()


def publish(
    run: RunDirectory, first: Contender, measured: Mapping[str, Records], options: Options, root: Root, stamp: dict
) -> None:
    """Prints the table and writes the .csv and .md beside the .json."""
    unit, columns = first.learner.objective.unit, {title: column(records) for title, records in measured.items()}
    further = query_std_columns(measured) if options.query_std else {}
    CONSOLE.print(table(f"{options.split}: {in_words(unit)}, 95 % intervals", columns, unit, further))
    checkpoint = stamp["checkpoint"] if isinstance(stamp["checkpoint"], str) else ", ".join(stamp["checkpoint"])
    origin = f"Config {stamp['config']}, checkpoint {checkpoint}, episode seed {options.seed}."
    write_text(run.results / f"{first.stem}.csv", as_csv(measured, root.kind, unit))
    notes = f"{announcement(root)}\n{origin}"
    write_text(run.results / f"{first.stem}.md", as_markdown(columns, unit, notes, further))
    CONSOLE.print(f"Results: {run.results / first.stem}.json, .csv, .md")
    CONSOLE.print(announcement(root))


def query_std_columns(measured: Mapping[str, Records]) -> Further:
    """The number that the reference prints after "±", a column a learner."""
    return {
        f"{title}: query std (NOT a confidence interval)": {
            source: f"{record['query_std']:.3f}" for source, record in records.items()
        }
        for title, records in measured.items()
    }
