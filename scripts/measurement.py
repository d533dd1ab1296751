"""The stored measurement of a cell of the paper's tables: numbers, conditions, and the command that repeats it."""

import argparse
import json
import shlex
from pathlib import Path

from alfa_md.errors import UserError
from alfa_md.evaluation.results_file import read_results
from alfa_md.experiment.run_directory import RunDirectory
from scripts.paper_cells import Cell

FILES = ("test.json", "test-ensemble.json")
KEPT = ("mean", "ci95", "episodes", "fingerprint", "diverged", "query_std")


def measurement(cell: Cell, folder: Path, options: argparse.Namespace) -> dict:
    """The stored result of a cell: every learner's numbers, and configuration, data, costs and machine.

    Raises UserError if the results are not all of equally many episodes of the same real data.
    """
    runs = [RunDirectory(folder / f"seed{seed}") for seed in options.seeds]
    best, ensemble = ([read_results(each.results / name) for each in runs] for name in FILES)
    protocol, facts = best[0]["protocol"], runs[0].facts()
    records = [result["sources"][cell.source] for result in (*best, *ensemble)]
    require_one_measurement(folder, records, [result["protocol"] for result in (*best, *ensemble)])
    learners = {
        title: [{key: result["sources"][cell.source].get(key) for key in KEPT} for result in results]
        for title, results in (("single best", best), ("ensemble", ensemble))
    }
    return {
        "seeds": options.seeds,
        "learners": learners,
        "members": min(len(result["protocol"]["checkpoint"]) for result in ensemble),
        "unit": protocol["unit"],
        "updates": [result["protocol"]["updates"] for result in best],
        "hours": [hours(each) for each in runs],
        "config": protocol["config"],
        "data": best[0]["sources"][cell.source]["data"],
        "data_root": protocol["data_root"],
        "command": command(cell, options, records[0]["episodes"], protocol),
        "machine": facts["machine"],
        "torch": facts["torch"],
        "device": protocol["device"],
    }


def require_one_measurement(folder: Path, records: list[dict], protocols: list[dict]) -> None:
    """Raises UserError unless the results are of equally many episodes of the same data, and not of the miniature."""
    if any(protocol["data_kind"] == "miniature" for protocol in protocols):
        raise UserError(f"{folder} was evaluated on the embedded miniature, which is no measurement; not stored")
    for what, values in (
        ("numbers of episodes", [record["episodes"] for record in records]),
        ("data", [record["data"] for record in records]),
    ):
        if any(value != values[0] for value in values):
            several = ", ".join(dict.fromkeys(map(str, values)))
            raise UserError(f"{folder} has results of several {what} ({several}); not stored; evaluate all alike")


def refuse_less(content: dict, stored: Path) -> None:
    """Raises UserError if a stored measurement has more episodes, or seeds that the new one lacks."""
    old = load_content(stored)
    if old is None:
        return
    numbers = [min(each["episodes"] for each in one["learners"]["single best"]) for one in (old, content)]
    if numbers[0] > numbers[1] or not set(old["seeds"]) <= set(content["seeds"]):
        seeds = ", ".join(map(str, old["seeds"]))
        raise UserError(f"{stored} holds {numbers[0]} episodes of seeds {seeds}; kept; remove it to store fewer")


def load_content(file: Path) -> dict | None:
    """The content of a stored measurement, None if there is none. Raises UserError if it is damaged."""
    try:
        content = json.loads(file.read_bytes())
        if not all(each["episodes"] > 0 for each in content["learners"]["single best"]) or not content["seeds"]:
            raise ValueError("no episodes")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} is no stored measurement; restore or remove it") from error
    return content


def hours(run: RunDirectory) -> float:
    """The training time of a run, 0 without training."""
    lines = run.metrics.read_text("utf-8").splitlines() if run.metrics.exists() else []
    return max((json.loads(line)["seconds"] for line in lines), default=0.0) / 3600


def command(cell: Cell, options: argparse.Namespace, episodes: int, protocol: dict) -> str:
    """The command that repeats a measurement, with everything that its numbers depend on."""
    words = ["scripts/reproduce.sh", cell.table, f"--row={cell.row}", f"--setting='{cell.setting}'"]
    words += [f"--seeds={','.join(map(str, options.seeds))}", f"--num_episodes={episodes}"]
    if options.num_updates is not None:
        words.append(f"--num_updates={options.num_updates}")
    words += [f"--gin_bindings={shlex.quote(binding)}" for binding in cell.variation.bindings]
    words += [f"--pretraining_bindings={shlex.quote(binding)}" for binding in cell.variation.pretraining]
    if protocol["data_kind"] != "generated":
        words.append(f"--records_root_dir={shlex.quote(protocol['data_root'])}")
    return " ".join(words)
