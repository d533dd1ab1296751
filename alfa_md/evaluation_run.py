"""A run directory evaluated: its checkpoint and the baselines on every source, as tables and files."""

from alfa_md import baselines as beside
from alfa_md import config, experiment
from alfa_md.checkpoint import file_hash, load_learner
from alfa_md.data.roots import announcement, records_root
from alfa_md.evaluation import Evaluation, chosen_sources, protocol_stamp
from alfa_md.progress import CONSOLE
from alfa_md.report import as_csv, as_markdown, column, table
from alfa_md.run_directory import RunDirectory, write_text

MISSING_SOURCE = 3  # exit code


def evaluate_run(
    run_dir: str,
    *,
    checkpoint: str,
    sources: str,
    num_episodes: int,
    split: str,
    baselines: str,
    records_root_dir: str | None,
    seed: int,
    place,
) -> int:
    """Evaluates, prints the table and writes results/<split>.{json,csv,md}; returns the exit code."""
    run = RunDirectory(run_dir)
    facts = run.facts()
    config.parse([str(run.config)])
    trained, initial = experiment.build(facts["seed"]), experiment.build(facts["seed"])
    file = run.checkpoint(checkpoint)
    content = load_learner(trained.learner, file)
    root = records_root(records_root_dir, facts)
    CONSOLE.print(announcement(root))
    stem = split if checkpoint == "best" else f"{split}-{file.stem}"
    origin = {"config": config.fingerprint(run.config.read_text()), "name": facts["name"]}
    stored = {"checkpoint": file_hash(file), "updates": content["step"]}
    names = chosen_sources(sources, trained, lambda name: (root.path / name).is_dir())
    columns, missing = {}, []
    learners = {facts["name"]: (stem, trained.learner, stored)} | {
        name: (f"{stem}-{name}", make(trained, initial), stored if name == "feature" else {"updates": 0})
        for name, make in beside.named(baselines).items()
    }
    for title, (path, learner, version) in learners.items():
        stamp = origin | version | protocol_stamp(learner, trained, root, split, seed)
        results = Evaluation(run.results / f"{path}.json", stamp)
        learner = learner.to(place)
        missing = results.run(learner, trained, root, names, split, num_episodes, seed, place)
        columns[title] = {name: value for name, value in column(results.sources).items() if name in names}
    CONSOLE.print(table(f"{split}, 95 % intervals over {num_episodes} episodes ({root.kind})", columns))
    notes = f"{announcement(root)} Config {origin['config']}, checkpoint {stored['checkpoint']}, seed {seed}."
    write_text(run.results / f"{stem}.csv", as_csv(columns))
    write_text(run.results / f"{stem}.md", as_markdown(columns, notes))
    CONSOLE.print(f"Results: {run.results / stem}.json, .csv, .md; run directory: {run.path}")
    return MISSING_SOURCE if missing else 0
