"""The record of a run's data: digests of its files, in run.json and in results, by which other data is recognised.

The digests of a source and split are one string, of LENGTH digits each, in the order of the files.
"""

from collections.abc import Mapping, Sequence

from alfa_md.data.file_digests import ABSENT, LENGTH, Files
from alfa_md.episode import EpisodeSource

DataRecord = Mapping[str, str]  # "source split" -> digests
DIGESTS = "digests"  # key of the data stamps in results


def data_record(sources: Sequence[EpisodeSource]) -> dict[str, str]:
    """The record of the files behind these sources."""
    return {name: "".join(own.values()) for source in sources for name, own in source.files.items()}


def other_data(recorded: DataRecord, sources: Sequence[EpisodeSource]) -> str | None:
    """The first difference between the files behind these sources and the recorded ones; None if they agree.

    Sources and splits that were not recorded, and files that are absent now or were then, count as equal.
    """
    files: Files = {name: own for source in sources for name, own in source.files.items()}
    differing = (f"{name}: {what}" for name, own in files.items() if (what := _difference(recorded.get(name), own)))
    return next(differing, None)


def is_data_record(value: object) -> bool:
    """True for digests by "source split"."""
    digests = value.items() if isinstance(value, dict) else [("", None)]
    return all(" " in name and isinstance(own, str) and len(own) % LENGTH == 0 for name, own in digests)


def data_remedy(kind: str) -> str:
    """How to give a run its data, by the kind of its root."""
    if kind == "miniature":
        return "set ALFA_MD_CACHE to a copy of the cache directory that it was drawn in"
    return "give --records_root_dir of that"


def data_stamp(source: EpisodeSource) -> dict:
    """The stamp of a source for results, with the digests of its files if it has some."""
    digests = "".join(data_record([source]).values())
    return source.stamp() | ({DIGESTS: digests} if digests else {})


def same_data(old: Mapping, new: Mapping) -> bool:
    """True if two stamps of a source agree; those of earlier versions have no digests."""
    known = (old.keys() | new.keys()) - ({DIGESTS} - (old.keys() & new.keys()))
    return all(key in old and key in new and old[key] == new[key] for key in known)


def _difference(recorded: str | None, files: Mapping[str, str]) -> str | None:
    if recorded is None:
        return None
    before = [recorded[start : start + LENGTH] for start in range(0, len(recorded), LENGTH)]
    for (name, now), then in zip(files.items(), before, strict=False):
        if now != then and ABSENT not in (now, then):
            return f"{name} is another one"
    return None if len(before) == len(files) else f"there are {len(files)} files or classes, not {len(before)}"
