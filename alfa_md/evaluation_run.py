"""A run directory evaluated: its checkpoint and the baselines on every source, as a table and as files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import NamedTuple

import torch

from alfa_md import baselines, config, experiment
from alfa_md.checkpoint import file_hash, load_learner
from alfa_md.data.roots import RecordsRoot, announcement, records_root
from alfa_md.data.spec import SPEC_FILE, load_spec, missing_spec
from alfa_md.distributed import ALONE, Group
from alfa_md.episode import EpisodeSource
from alfa_md.errors import UserError
from alfa_md.evaluation import Results
from alfa_md.experiment import Experiment
from alfa_md.interruption import Interruption
from alfa_md.learners.base import Learner
from alfa_md.progress import CONSOLE
from alfa_md.run_directory import RunDirectory, write_text
from alfa_md.tables import Column, as_csv, as_markdown, column, table

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


class Contender(NamedTuple):
    """A learner in the table: its title, the stem of its results file, and which weights it has."""

    title: str
    stem: str
    learner: Learner
    weights: dict


def evaluate_run(run: RunDirectory, options: Options, group: Group = ALONE) -> int:
    """Evaluates, prints the table and writes results/<split>.{json,csv,md}; returns the exit code.

    Ends the process with 128 + signal after Ctrl-C or SIGTERM; the episodes done are kept and not run again.
    """
    facts = run.facts()
    config.parse([str(run.config)])
    root = records_root(options.records_root_dir, facts)
    CONSOLE.print(announcement(root))
    trained = experiment.build(facts["seed"])
    contenders = list(line_up(run, options, trained))
    names = chosen_sources(options.sources, trained, root)
    present = [name for name in names if (root.path / name / SPEC_FILE).is_file()]
    origin = {"config": config.fingerprint(run.config.read_text()), "name": facts["name"]}
    origin["pretrained"] = facts.get("pretrained")
    chosen, columns = list(sources(trained, root, present, options)), {}
    if present and not chosen:
        raise UserError(f"--split={options.split}: none of {', '.join(present)} has it; choose other --sources")
    for contender in contenders:
        stamp = origin | contender.weights | protocol(contender.learner, trained, root, options)
        results = Results(run.results / f"{contender.stem}.json", stamp, group)
        measure_all(results, contender.learner, chosen, options)
        columns[contender.title] = column(results.sources, dict.fromkeys((*trained.test_sources, *names)))
    if group.first:
        publish(run, contenders[0].stem, columns, options, root, origin | contenders[0].weights)
    for name in names:
        if name not in present:
            CONSOLE.print(f"{name}: missing ({missing_spec(root.path / name)})")
    return DONE if present == list(names) else MISSING_SOURCE


def measure_all(results: Results, learner: Learner, chosen: Sequence[EpisodeSource], options: Options) -> None:
    """Measures a learner on sources; raises SystemExit, what is done being kept, when a signal asks to stop."""
    learner = learner.to(options.device, memory_format=torch.channels_last)
    with Interruption() as stop:
        for source in chosen:
            if not results.measure(learner, source, options.num_episodes, options.device, stop):
                CONSOLE.print(f"stopped within {source.name}; the same command goes on from there")
                raise SystemExit(stop.code)


def line_up(run: RunDirectory, options: Options, trained: Experiment) -> Iterator[Contender]:
    """The run's checkpoint, loaded into `trained`, and then the baselines."""
    facts, file = run.facts(), run.checkpoint(options.checkpoint)
    content = load_learner(trained.learner, file)
    stem = options.split if options.checkpoint == "best" else f"{options.split}-{file.stem}"
    weights = {"checkpoint": file_hash(file), "updates": content["step"]}
    yield Contender(facts["name"], stem, trained.learner, weights)
    for name, baseline in baselines.named(options.baselines).items():
        learner = baseline(trained, experiment.build(facts["seed"]))
        yield Contender(name, f"{stem}-{name}", learner, weights if name == "feature" else {"updates": 0})


def chosen_sources(names: Sequence[str], trained: Experiment, root: RecordsRoot) -> tuple[str, ...]:
    """The sources of these names; `all` alone means the test sources. Raises UserError for a name nothing knows."""
    if list(names) == ["all"]:
        return trained.test_sources
    if not names or "" in names:
        raise UserError("--sources has an empty name; give all, or names separated by commas")
    for name in names:
        if name not in trained.test_sources and not (root.path / name).is_dir():
            raise UserError(f"--sources: unknown source {name}; there are: {', '.join(trained.test_sources)}")
    return tuple(names)


def sources(trained: Experiment, root: RecordsRoot, names: list[str], options: Options) -> Iterator[EpisodeSource]:
    """The sources that have the split; the others are skipped by name."""
    for name in names:
        if len(load_spec(root.path / name).classes(options.split)):
            yield trained.evaluation(root.path, name, options.split, options.seed)
        else:
            CONSOLE.print(f"{name}: has no {options.split} split, skipped")


def protocol(learner: Learner, trained: Experiment, root: RecordsRoot, options: Options) -> dict:
    """What a result depends on, whatever the source, as plain values."""
    conditions = {
        "split": options.split,
        "seed": options.seed,
        "device": options.device.type,
        "sampling": asdict(trained.sampling),
    }
    return conditions | {"data_root": str(root.path), "data_kind": root.kind} | learner.stamp()


def publish(
    run: RunDirectory, stem: str, columns: Mapping[str, Column], options: Options, root: RecordsRoot, stamp: dict
) -> None:
    """Prints the table and writes the .csv and .md beside the .json."""
    CONSOLE.print(table(f"{options.split}: accuracy in percent, 95 % intervals", columns))
    origin = f"Config {stamp['config']}, checkpoint {stamp['checkpoint']}, episode seed {options.seed}."
    write_text(run.results / f"{stem}.csv", as_csv(columns, root.kind))
    write_text(run.results / f"{stem}.md", as_markdown(columns, f"{announcement(root)}\n{origin}"))
    CONSOLE.print(f"Results: {run.results / stem}.json, .csv, .md")
    CONSOLE.print(announcement(root))
