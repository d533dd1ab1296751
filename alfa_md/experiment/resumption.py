"""Resumption of a run: its configuration, seed, initial weights and data must be those of its start, wherever they are.

A path is no part of a run's identity: records, initial weights and the run directory itself may move.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from alfa_md.episode import EpisodeSource
from alfa_md.errors import UserError
from alfa_md.experiment import config
from alfa_md.experiment.data_record import data_record, data_remedy, other_data
from alfa_md.experiment.foreign_weights import hash_of
from alfa_md.experiment.memory_bindings import SAVING
from alfa_md.system.progress import CONSOLE
from alfa_md.system.user_path import user_path

IDENTITY = ("seed", "data_kind", "pretrained")
CONDITIONS = ("torch", "machine", "device", "threads", "processes")  # sums are rounded alike only if these are the same
FOLDERS = ("dumped.folder",)  # bindings that say where data is
LENGTH = re.compile(r"train\.num_updates: (\d+) -> (\d+)")
PRETRAINED = re.compile(r"(?:PRETRAINED|Experiment\.pretrained|HUB_MODEL|hub_backbone\.model): .* -> (.*)")
WEIGHTS = re.compile(
    r", (?:update \d+|[\d.]+ % of the values), hash (\w+)$"
)  # at the end of the stamp of initial weights, after their path


def changed_bindings(old: str, new: str, facts: Mapping) -> list[str]:
    """The bindings that make a configuration another one, as `name: old -> new`.

    Bindings that only save memory make no difference, nor do paths of the same initial weights and recorded data.
    """
    changed = config.differences(old, new, but={*SAVING, *(FOLDERS if "data" in facts else ())})
    return [each for each in changed if not (found := PRETRAINED.match(each)) or not _is_moved(found[1], facts)]


def split_extension(changed: Sequence[str]) -> tuple[int | None, list[str]]:
    """The earlier train.num_updates if it is raised, else None; and the other changes."""
    raised = [each for each in changed if (found := LENGTH.fullmatch(each)) and int(found[1]) < int(found[2])]
    before = int(LENGTH.fullmatch(raised[0])[1]) if raised else None
    return before, [each for each in changed if each not in raised]


def changed_facts(old: Mapping, new: Mapping) -> list[str]:
    """The changes of seed, kind of data and initial weights, as `name: old -> new`."""
    compared = [key for key in IDENTITY if key in new]
    return [f"{key}: {old.get(key)} -> {new[key]}" for key in compared if _weights(old.get(key)) != _weights(new[key])]


def resumed_facts(old: Mapping, new: Mapping, sources: Sequence[EpisodeSource], run: Path) -> dict:
    """The facts of a run that goes on, with the place where its data is now; prints what is unusual about it.

    Raises UserError if the data is another one.
    """
    if other := other_data(old.get("data", {}), sources):
        remedy = f"{data_remedy(old['data_kind'])}, or choose another --run_dir"
        raise UserError(f"{run} was trained on other data ({other}); {remedy}")
    moved = old["data_root"] != new["data_root"]
    if moved and "data" in old:
        CONSOLE.print(f"The data of this run is at another path than before ({old['data_root']}): it is the same data")
    elif moved and old["data_kind"] != "miniature":
        CONSOLE.print(f"An earlier version did not record the data of this run, then at {old['data_root']}: unchecked")
    compared = [key for key in CONDITIONS if key in old and key in new]
    changed = [f"{key}: {old[key]} -> {new[key]}" for key in compared if old[key] != new[key]]
    if changed:
        CONSOLE.print(f"Other conditions than at the start ({'; '.join(changed)}): sums are rounded differently")
    return {**old, "data_root": new["data_root"], "data": old.get("data", data_record(sources))}


def _weights(stamp: object) -> object:
    """The hash in the stamp of initial weights; any other fact unchanged."""
    found = WEIGHTS.search(stamp) if isinstance(stamp, str) else None
    return found[1] if found else stamp


def _is_moved(written: str, facts: Mapping) -> bool:
    """True if a value of PRETRAINED, as written in a gin file, is another path of the weights that a run began with."""
    try:
        path = user_path(ast.literal_eval(written))
        best = path / "checkpoints" / "best.pt"
        return hash_of(best if best.is_file() else path) == _weights(facts.get("pretrained"))
    except (ValueError, SyntaxError, TypeError, OSError, UserError):
        return False
