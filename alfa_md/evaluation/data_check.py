"""The check that a run is evaluated on the data that it was trained on, without mixing results of other data."""

from collections.abc import Iterator, Mapping, Sequence

from alfa_md.data.roots import Root
from alfa_md.episode import EpisodeSource
from alfa_md.errors import UserError
from alfa_md.evaluation.results import Results
from alfa_md.experiment.data_record import DIGESTS, data_remedy, other_data
from alfa_md.experiment.definition import Experiment
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.system.progress import CONSOLE

ELSE = "or --name=NAME to store results on this data in results/test-NAME.json"


def check_training_data(
    run: RunDirectory, trained: Experiment, root: Root, chosen: Sequence[EpisodeSource], name: str
) -> None:
    """Raises UserError if a chosen source is not the one that the run was trained on; prints it if `name` is given.

    Sources that the run was not trained on, and files that are absent now or were in training, are not compared.
    """
    facts = run.facts()
    recorded = facts.get("data", {})
    sources = training_sources(recorded, trained, root, {source.name for source in chosen})
    if not (other := other_data(recorded, [*sources])):
        return
    if not name:
        raise UserError(f"{run.path} was trained on other data ({other}); {data_remedy(facts['data_kind'])}, {ELSE}")
    CONSOLE.print(f"Other data than this run was trained on ({other})")


def training_sources(
    recorded: Mapping[str, str], trained: Experiment, root: Root, names: set[str]
) -> Iterator[EpisodeSource]:
    """Yields the recorded sources and splits among `names`, as far as they can be opened here."""
    for source, split in (key.rsplit(" ", 1) for key in recorded):
        if source in names:
            try:
                yield trained.evaluation(root.path, source, split, 0)
            except UserError:  # evaluation needs no split of the training
                continue


def check_measured_data(results: Results, chosen: Sequence[EpisodeSource]) -> None:
    """Raises UserError if a results file has scores of a chosen source on other data."""
    for source in chosen:
        digests = results.sources.get(source.name, {"data": {}})["data"].get(DIGESTS)
        recorded = dict.fromkeys(source.files, digests) if digests else {}
        if other := other_data(recorded, [source]):
            remedy = data_remedy(str(results.stamp.get("data_kind")))
            raise UserError(f"{results.path} was measured on other data ({other}); {remedy}, {ELSE}")
