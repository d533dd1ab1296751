"""The report: one self-contained HTML page with summaries, curves, results, published results and differences."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from alfa_md import __version__
from alfa_md.errors import UserError
from alfa_md.experiment.config import differences
from alfa_md.experiment.pretraining import SCRATCH
from alfa_md.metrics import MeanCI
from alfa_md.reporting.comparison import published_section
from alfa_md.reporting.elements import html_table, warning_box, with_line_breaks
from alfa_md.reporting.figures import DASHES, NUM_COLORS, render_figures
from alfa_md.reporting.published import resolve
from alfa_md.reporting.results import MINIATURE, results_section
from alfa_md.reporting.style import STYLE
from alfa_md.reporting.summary import RunSummary, read_runs
from alfa_md.system.files import write_text
from alfa_md.system.progress import CONSOLE, format_duration
from alfa_md.system.user_path import output_path

# Facts of run.json that are listed if the runs differ in them.
FACTS = ("seed", "sizes", "pretrained", "data_kind", "data_root", "alfa_md", "torch", "python", "machine")


def write_report(paths: Sequence[str], out: str) -> None:
    """Writes the report on the runs in these directories to `out`. Raises UserError for bad input."""
    text, file = render_page(read_runs(paths)), output_path(out)
    try:
        write_text(file, text)
    except OSError as error:
        raise UserError(f"cannot write {file}: {error.strerror}; choose another --out") from error
    CONSOLE.print(f"Report: {file}")


def render_page(runs: Sequence[RunSummary]) -> str:
    """The report as HTML without external resources. Raises UserError if matplotlib is not installed."""
    title = escape(runs[0].label if len(runs) == 1 else f"{len(runs)} runs")
    sections = (
        ("Runs", f'<div class="cards">{"".join(card(run, number) for number, run in enumerate(runs))}</div>'),
        ("Curves", curves_section(runs)),
        ("Test results", results_section(runs)),
        ("Beside the published numbers", published_section(runs)),
        ("What differs between the runs", differences_section(runs)),
    )
    body = "".join(f"<section><h2>{name}</h2>{content}</section>" for name, content in sections if content)
    written = f"{datetime.now():%Y-%m-%d %H:%M}, alfa_md {__version__}"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title} - alfa_md</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head>\n<body><h1>{title}</h1>"
        f'<p class="soft">Few-shot learning; as of {written}.</p>\n{body}</body></html>\n'
    )


def swatch(number: int) -> str:
    """The legend line of a run, in its colour and dash style."""
    style = f"{DASHES[number // NUM_COLORS % len(DASHES)]} var(--run{number % NUM_COLORS})"
    return f'<span class="swatch" style="border-top: 4px {style}"></span>'


def card(run: RunSummary, number: int) -> str:
    """The summary card of a run."""
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in card_rows(run).items() if value)
    miniature = warning_box(MINIATURE) if run.facts.get("data_kind") == "miniature" else ""
    command = escape(str(run.facts.get("command", "")))
    return (
        f'<article class="card"><h3>{swatch(number)}{escape(run.label)}</h3>{miniature}<dl>{rows}</dl>'
        f'<details><summary>Command and configuration</summary><pre class="command">{command}</pre>'
        f"<pre>{escape(run.config)}</pre></details></article>"
    )


def card_rows(run: RunSummary) -> dict[str, str]:
    """The rows of a card, label -> text; the text is empty if unknown."""
    facts = run.facts
    versions = [f"{name} {facts[name]}" for name in ("alfa_md", "torch", "python") if name in facts]
    return {
        "Configuration": f"{facts.get('name', '')}, seed {facts.get('seed', '?')}",
        "Learner": describe_learner(run),
        "Pretrained": str(facts.get("pretrained") or SCRATCH) if "pretrained" in facts else "",
        "Updates": describe_updates(run),
        "Best validation": describe_best_validation(run),
        "Time": describe_time(run),
        "Waiting for data": f"{100 * run.train[-1]['data_wait']:.0f} % of the time"
        if "data_wait" in last_record(run)
        else "",
        "Peak memory": f"{run.last('peak_memory') / 2**30:.2f} GiB" if run.last("peak_memory") else "",
        "Machine": str(facts.get("machine", "")),
        "Versions": ", ".join(versions),
        "Data": describe_data(facts),
    }


def last_record(run: RunSummary) -> dict:
    """The last training record, empty if there is none."""
    return run.train[-1] if run.train else {}


def describe_data_wait(run: RunSummary) -> str:
    """The fraction of time spent waiting for data, by the last training record."""
    return f"{100 * run.train[-1]['data_wait']:.0f} % of the time" if "data_wait" in last_record(run) else ""


def describe_learner(run: RunSummary) -> str:
    """Learner, head, rule, inner steps, backbone and image size, if bound by the configuration."""
    name = resolve(run.bound, "Experiment.learner")
    if name is None:
        return ""
    head, rule, steps, extra, backbone = (
        resolve(run.bound, f"{name}.{part}")
        for part in ("head", "rule", "num_steps", "additional_evaluation_steps", "backbone")
    )
    parts = [name, head, rule and f"rule {rule}", steps and f"{steps} inner steps" + _evaluation_steps(extra), backbone]
    pixels = run.bound.get("IMAGE_SIZE")
    return ", ".join(part for part in [*parts, pixels and f"{pixels} px"] if part)


def _evaluation_steps(extra: str | None) -> str:
    return f" ({extra} more in evaluation)" if extra and extra != "0" else ""


def describe_updates(run: RunSummary) -> str:
    """Number of updates done, by the last record, and in total."""
    if run.total is None or run.updates >= run.total:
        return f"{run.updates} of {run.total or '?'}"
    state = "still training, or stopped: the same command goes on" if run.updates else "nothing recorded yet"
    return f"{run.updates} of {run.total} ({state})"


def describe_best_validation(run: RunSummary) -> str:
    if not run.best:
        return "none yet"
    unit, mean, ci95 = run.unit, run.best.get(run.unit.name), run.best.get("ci95")
    if mean is None:
        return "none is finite"
    value = unit.number(mean) if ci95 is None else unit.interval(MeanCI(mean, ci95, 0))
    diverged = f" (diverged in {run.best['diverged']} episodes)" if run.best.get("diverged") else ""
    return f"{value} {unit.symbol or unit.name}{diverged} at update {run.best['step']}"


def describe_time(run: RunSummary) -> str:
    wall, cpu = run.last("seconds"), run.last("cpu_seconds")
    if wall is None:
        return ""
    return f"{format_duration(wall)}" + (f" ({format_duration(cpu)} of CPU)" if cpu is not None else "")


def describe_data(facts: dict) -> str:
    """Kind and root folder of the data."""
    kind = str(facts.get("data_kind", "unknown"))
    kind = {"miniature": "embedded miniature"}.get(kind, kind)
    return f"{kind} at {facts['data_root']}" if "data_root" in facts and kind != "generated" else kind


def curves_section(runs: Sequence[RunSummary]) -> str:
    """The legend and one figure per recorded quantity."""
    drawn = "".join(
        f"<figure><figcaption>{quantity.title}</figcaption>{svg}</figure>" for quantity, svg in render_figures(runs)
    )
    if not drawn:
        return "<p>Nothing recorded yet.</p>"
    names = "".join(f"<span>{swatch(number)}{escape(run.label)}</span>" for number, run in enumerate(runs))
    note = (
        "Over updates. Training values are of single updates: thin as they were recorded, thick their running mean "
        "over a tenth of the curve. The band around validation is its 95 % interval, where it was recorded; a cross at "
        "the bottom marks a validation in which episodes diverged."
    )
    return f'<p class="soft">{note}</p><p class="legend">{names}</p><div class="grid">{drawn}</div>'


def differences_section(runs: Sequence[RunSummary]) -> str:
    """A table of the bindings and facts in which the runs differ; empty for a single run."""
    if len(runs) < 2:
        return ""
    changed = (line.split(": ", 1)[0] for run in runs[1:] for line in differences(runs[0].config, run.config))
    rows = [
        [f"<code>{with_line_breaks(text)}</code>" for text in (name, *(run.bound.get(name, "unset") for run in runs))]
        for name in sorted(set(changed))
    ]
    for name in FACTS:
        values = [str(run.facts.get(name, "not recorded")) for run in runs]
        if len(set(values)) > 1:
            rows.append([name, *map(with_line_breaks, values)])
    if not rows:
        return "<p>Nothing: configuration, seed, data and versions are the same.</p>"
    return html_table(["binding", *(with_line_breaks(run.label) for run in runs)], rows, kind="text")
