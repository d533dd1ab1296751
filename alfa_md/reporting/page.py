"""The report: one self-contained HTML page with summaries, curves, results, published results and differences."""

from collections.abc import Sequence
from datetime import datetime

from alfa_md import __version__
from alfa_md.errors import UserError
from alfa_md.experiment.config import differences
from alfa_md.experiment.pretraining import SCRATCH
from alfa_md.metrics import MeanCI
from alfa_md.reporting.comparison import compare_with_published
from alfa_md.reporting.elements import PAGES
from alfa_md.reporting.figures import DASHES, NUM_COLORS, render_figures
from alfa_md.reporting.published import resolve
from alfa_md.reporting.results import MINIATURE, result_tables
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
    bindings, facts = differing(runs)
    return PAGES.get_template("report.html").render(
        title=runs[0].label if len(runs) == 1 else f"{len(runs)} runs",
        style=STYLE,
        written=f"{datetime.now():%Y-%m-%d %H:%M}, alfa_md {__version__}",
        runs=runs,
        strokes=[stroke(number) for number in range(len(runs))],
        card_rows=card_rows,
        figures=list(render_figures(runs)),
        results=result_tables(runs),
        published=compare_with_published(runs),
        bindings=bindings,
        facts=facts,
        miniature=MINIATURE,
    )


def stroke(number: int) -> str:
    """The dash style and colour of a run's curves, in CSS."""
    return f"{DASHES[number // NUM_COLORS % len(DASHES)]} var(--run{number % NUM_COLORS})"


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
        "Waiting for data": describe_data_wait(run),
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


def differing(runs: Sequence[RunSummary]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The bindings and the facts in which the runs differ, each name -> one value a run."""
    changed = (line.split(": ", 1)[0] for run in runs[1:] for line in differences(runs[0].config, run.config))
    bindings = {name: [run.bound.get(name, "unset") for run in runs] for name in sorted(set(changed))}
    facts = {name: [str(run.facts.get(name, "not recorded")) for run in runs] for name in FACTS}
    return bindings, {name: values for name, values in facts.items() if len(set(values)) > 1}
