"""The model card of an exported run: README.md with its results, data, seeds, commands and licence."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from alfa_md.data.roots import Root, announcement
from alfa_md.evaluation.tables import (
    divergence_note,
    markdown_table,
    mean_texts,
    source_means,
    unit_description,
)
from alfa_md.experiment.checkpoint import short_hash
from alfa_md.experiment.run_directory import SIZES
from alfa_md.reporting.measured import Measured

IMPORT = re.compile(r"^(?:import|from)\s+(\w+)", re.MULTILINE)
PLACEHOLDERS = {"records": "RECORDS", "images": "IMAGES"}  # of the data folder in commands, by kind of data
SHORT = 0.05  # minutes, which are not worth a line
FRONT = "---\nlicense: {}\nlibrary_name: alfa_md\ntags:\n- few-shot-learning\n- meta-learning\n---\n"


class Exported(NamedTuple):
    """What a card tells of: the parts of an exported run, without folders of the machine that made it.

    `config` and `weights` are the hashes by which an evaluation of the folder names them.
    """

    folder: str
    facts: Mapping
    text: str  # of config.gin
    config: str
    weights: str
    updates: int
    cpu_minutes: float  # of the training; 0 if it was not recorded
    measured: Measured
    licence: str


def model_card(run: Exported) -> str:
    """The text of README.md, in Markdown with the metadata block that model hubs read."""
    name, facts = " ".join(run.facts["name"].split()), run.facts
    small = [f"A small run: sizes {facts[SIZES]}."] if SIZES in facts else []
    parts = [
        FRONT.format(json.dumps(run.licence.lower())) + f"\n# {name}",
        f"A few-shot learner, meta-trained by alfa_md {facts.get('alfa_md', '')} for {run.updates} outer updates.",
        *small,
        f"## Results\n\n{results_section(run)}",
        f"## Use\n\n{use_section(run)}",
        f"## Training\n\n{training_table(run)}",
        f"The command:\n\n    {facts.get('command', '')}",
        f"## Licence\n\nThe weights: {run.licence}. The data that they were trained on has licences of its own.",
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def results_section(run: Exported) -> str:
    """The table, the conditions that it was measured under, and the command that measures it again."""
    unit, protocol = run.measured.unit, run.measured.protocol
    columns = {title: source_means(records) for title, records in run.measured.records.items()}
    own = next(iter(columns.values()))
    rows = {
        source: [*(unit.text(means[source]) for means in columns.values()), str(result.n)]
        for source, result in own.items()
    }
    rows["mean"] = [*mean_texts(columns, unit), ""]
    table = markdown_table(["source", *columns, "episodes"], rows)
    where = f"on {protocol['device']}, test episodes of seed {protocol['seed']}"
    notes = [
        f"Test: {unit_description(unit)}, mean over episodes with 95 % interval, {where}.",
        "`measured/` has every episode's score.",
        announcement(Root(Path(protocol["data_root"]), protocol["data_kind"])),
        divergence_note(columns, unit),
    ]
    commands = "\n".join(f"    {command}" for command in evaluation_commands(run))
    return f"{table}\n{' '.join(filter(None, notes))}\n\nMeasured again by\n\n{commands}\n\n{rounding(protocol)}"


def rounding(protocol: Mapping) -> str:
    """How far a repeated measurement agrees."""
    if protocol["device"] == "cpu":
        return (
            "with the same numbers bit for bit on a processor of the same kind with as many threads; others round sums "
            "differently."
        )
    return f"up to rounding: sums on {protocol['device']} are rounded otherwise than on the CPU."


def evaluation_commands(run: Exported) -> Iterator[str]:
    """The commands that measure the table; sources with different numbers of episodes need one each."""
    protocol, records = run.measured.protocol, next(iter(run.measured.records.values()))
    numbers = {source: record["episodes"] for source, record in records.items()}
    _, *baselines = run.measured.contents
    fixed = [f"--seed={protocol['seed']}", f"--device={protocol['device']}"]
    fixed += [f"--baselines={','.join(baselines)}"] if baselines else []
    if place := PLACEHOLDERS.get(protocol["data_kind"]):
        fixed.append(f"--records_root_dir={place}")
    if modules := foreign_modules(run.text):
        fixed.append(f"--trust={','.join(modules)}")
    for number in dict.fromkeys(numbers.values()):
        sources = ",".join(source for source, own in numbers.items() if own == number)
        words = [f"--run_dir={run.folder}", f"--sources={sources}", f"--num_episodes={number}", *fixed]
        yield " ".join(["python -m alfa_md.evaluate", *words])


def foreign_modules(text: str) -> list[str]:
    """The top-level modules besides this package that a config.gin imports."""
    return sorted({name for name in IMPORT.findall(text) if name != "alfa_md"})


def use_section(run: Exported) -> str:
    """How the weights are opened, and begun from."""
    trust = f", trust={foreign_modules(run.text)}" if foreign_modules(run.text) else ""
    return (
        f'    import alfa_md\n\n    run = alfa_md.open_run("{run.folder}"{trust})\n'
        "    scores = run.learner(run.episode(0))\n\n"
        f"`PRETRAINED = '{run.folder}'` begins a training with the backbone, `--gin_config={run.folder}/config.gin` "
        "repeats this one. `evaluate`, `episodes` and `plot` take the folder as `--run_dir`."
    )


def training_table(run: Exported) -> str:
    """What the run was made from, as a table of two columns."""
    facts = run.facts
    versions = {"alfa_md": facts.get("alfa_md"), "torch": facts.get("torch"), "Python": facts.get("python")}
    data = [f"{name} (digest {short_hash(digests.encode())})" for name, digests in facts.get("data", {}).items()]
    folder = f", folder {facts['data_root']}" if facts["data_kind"] in PLACEHOLDERS else ""
    rows = {
        "data": "; ".join([f"{facts['data_kind']}{folder}", *data]),
        "seed": str(facts["seed"]),
        "initial backbone": str(facts.get("pretrained", "")),
        "CPU time": f"{run.cpu_minutes:.1f} minutes, with validation" if run.cpu_minutes > SHORT else "",
        "made with": ", ".join(f"{name} {version}" for name, version in versions.items() if version),
        "machine": str(facts.get("machine", "")),
        "config.gin": f"hash {run.config}",
        "model.safetensors": f"hash {run.weights}",
    }
    return markdown_table(["", ""], {name: [value] for name, value in rows.items() if value})
