"""Rates and decays of a run over the inner steps of episodes of real images, as a stored result and as a figure."""

import json
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from alfa_md.errors import UserError
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.plotting import canvas
from alfa_md.plotting.hyperparameter_values import measure_hyperparameters
from alfa_md.plotting.loaded_run import FigureOptions, load_run
from alfa_md.system.files import write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SOURCES = ("ilsvrc_2012", "omniglot", "traffic_sign", "mscoco")
NUM_EPISODES = 20
QUARTILES = (25, 50, 75)
SYMBOLS = {"alpha": "rate α", "beta": "weight factor β = 1 − decay"}
HEAD = "head.weight"


def measure(run: str, records: str | None, file: Path) -> None:
    """Stores the quartiles over episodes of rate and weight factor by source, step and weight matrix.

    Raises UserError if the run's learner has no inner loop with rates and decays.
    """
    content: dict = {"run": Path(run).name, "episodes": NUM_EPISODES, "sources": {}}
    for source in SOURCES:
        device = torch.device("cpu")
        loaded = load_run(FigureOptions(RunDirectory(run), "best", source, "test", 0, records, device))
        measured = measure_hyperparameters(loaded, map(loaded.episode, range(NUM_EPISODES)))
        if not SYMBOLS.keys() <= measured.values.keys():
            raise UserError(f"{run}: its rule has no rates and decays; give a run with ALFA or the control")
        chosen = [number for number, name in enumerate(measured.tensors) if is_matrix(name)]
        content["tensors"] = [measured.tensors[number] for number in chosen]
        content["sources"][source] = {
            name: np.round(np.percentile(measured.values[name][:, :, chosen], QUARTILES, axis=0), 6).tolist()
            for name in SYMBOLS
        }
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(content, allow_nan=False) + "\n")


def is_matrix(name: str) -> bool:
    """True for the kernels of the four-layer network and the head's weights."""
    return name == HEAD or name.endswith(".0.weight")


def figure(file: Path) -> "Figure":
    """Medians over episodes by inner step, with quartiles, one line a weight matrix, one column a source.

    Raises UserError for a damaged file.
    """
    try:
        content = json.loads(file.read_bytes())
        drawn = canvas.new_figure(11.0, 5.0, layout="constrained")
        panels = drawn.subplots(len(SYMBOLS), len(SOURCES), sharex=True, sharey="row")
        for (row, name), (column, source) in product(enumerate(SYMBOLS), enumerate(SOURCES)):
            axes = panels[row, column]
            draw_lines(axes, np.array(content["sources"][source][name]), content["tensors"])
            axes.set_title(source if row == 0 else "")
            axes.set_xlabel("inner step" if row else "")
            axes.set_ylabel("" if column else SYMBOLS[name])
        title = f"{content['run']}: median and quartiles over {content['episodes']} test episodes"
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UserError(f"{file} holds no rates; measure them again with --rates_of") from error
    drawn.suptitle(title)
    drawn.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)
    return drawn


def draw_lines(axes: "Axes", quartiles: np.ndarray, tensors: list[str]) -> None:
    """Lines of the medians of [3, S, N] and bands between the other quartiles."""
    steps = range(quartiles.shape[1])
    low, median, high = quartiles
    for number, name in enumerate(tensors):
        color = canvas.COLORS[number]
        axes.plot(steps, median[:, number], color=color, marker=".", label=name)
        axes.fill_between(steps, low[:, number], high[:, number], color=color, alpha=0.25, linewidth=0)
    axes.set_xticks(list(steps))
