"""Figures of ten sources of real images, from stored results: docs/real_ten.svg and docs/real_ten_rates.svg.

python -m scripts.real_ten_figures                                    # accuracies; rates, if they are stored
python -m scripts.real_ten_figures --rates_of=RUN --records_root_dir=RECORDS        # measures and stores them first
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alfa_md.errors import UserError
from alfa_md.experiment.definition import META_DATASET
from alfa_md.metrics import ACCURACY
from alfa_md.plotting import canvas
from scripts import once, real_ten_rates
from scripts.errors import one_line_errors
from scripts.measure import STORE
from scripts.real_ten_study import TITLES
from scripts.real_ten_table import Results, by_source, load
from scripts.study import ROOT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = ("pretrained", "fine-tuning", "maml", "maml-control", "maml-alfa")
SHOWN += ("proto-maml", "proto-maml-control", "proto-maml-alfa")
GROUP = 0.86  # of the space between two sources, filled with bars


def main(arguments: Sequence[str] | None = None) -> int:
    parser = once.make_parser(__doc__)
    parser.add_argument("--rates_of", help="a run of gin/real_ten whose rates and decays are measured")
    parser.add_argument("--records_root_dir", help="the folder of records, for --rates_of")
    parser.add_argument("--store", default=STORE, type=Path)
    parser.add_argument("--out", default=ROOT / "docs", type=Path)
    options = parser.parse_args(arguments)
    rates = options.store / "real_ten_rates.json"
    if options.rates_of:
        real_ten_rates.measure(options.rates_of, options.records_root_dir, rates)
    found = load(options.store / "real_ten")
    if not any(name in found for name in SHOWN):
        raise UserError(f"{options.store} has no results of real_ten; run python -m scripts.measure real_ten first")
    with canvas.figure_style():
        figures = {"real_ten": accuracy_figure(found)}
        if rates.exists():
            figures["real_ten_rates"] = real_ten_rates.figure(rates)
        files = {options.out / f"{name}.svg": canvas.render(figure, "svg") for name, figure in figures.items()}
    print(*canvas.write_files(files))
    return 0


def accuracy_figure(found: Results) -> "Figure":
    """Bars of every learner's accuracy on every source, with 95 % intervals over episodes."""
    shown = [name for name in SHOWN if name in found]
    figure = canvas.new_figure(12.0, 4.2, layout="constrained")
    axes, places, width = figure.add_subplot(), np.arange(len(META_DATASET)), GROUP / len(shown)
    for number, name in enumerate(shown):
        results = by_source(found[name].values()).values()
        means, halves = (ACCURACY.factor * np.array(values) for values in list(zip(*results, strict=True))[:2])
        left = places + width * (number + 0.5) - GROUP / 2
        color = canvas.COLORS[SHOWN.index(name)]
        seeds = len(found[name])
        label = f"{TITLES[name]} ({seeds} seed{'s' * (seeds > 1)})"
        axes.bar(left, means, width, yerr=halves, color=color, label=label, error_kw={"elinewidth": 0.8})
    axes.set_xticks(places, META_DATASET)
    axes.set_ylabel("test accuracy, %")
    axes.grid(axis="x", visible=False)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return figure


if __name__ == "__main__":
    with one_line_errors():
        sys.exit(main())
