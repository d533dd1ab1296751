"""The fingerprint of the first episodes of a source, by which two results are known to be of the same episodes."""

from weakref import WeakKeyDictionary

from alfa_md.data.fingerprint import short_hash
from alfa_md.episode import EpisodeSource

KEY = "fingerprint"  # in the record of a source in a results file
_CHAINS: WeakKeyDictionary[EpisodeSource, list[str]] = WeakKeyDictionary()  # of the first one, two, ... episodes


def episodes_fingerprint(source: EpisodeSource, number: int) -> str | None:
    """16 hex digits of the episodes 0 to `number` - 1 in order, None if the source has no fingerprints.

    It does not depend on the learner, on pixels or on the platform. Every episode of a source is drawn once for it, a
    millisecond each.
    """
    chain = _CHAINS.setdefault(source, [])
    for index in range(len(chain), number):
        own = source.fingerprint(index)
        if own is None:
            return None
        chain.append(short_hash(chain[-1] if chain else "", own))
    return chain[number - 1]


def is_of_these_episodes(record: dict, source: EpisodeSource) -> bool:
    """True if the record of a results file is of the first episodes of a source, or one of both cannot tell."""
    stored = record.get(KEY)
    return stored is None or episodes_fingerprint(source, record["episodes"]) in (None, stored)
