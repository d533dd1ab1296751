"""Reading of results files, with a check of every part that evaluations, comparisons and reports use."""

import json
import math
import re
from pathlib import Path

import numpy as np

from alfa_md.errors import UserError, WrongPart
from alfa_md.evaluation.episodes_fingerprint import KEY
from alfa_md.evaluation.scores import diverged_episodes
from alfa_md.evaluation.tables import UNITS
from alfa_md.metrics import ACCURACY, Unit

REMEDY = "restore it, or move it away and run python -m alfa_md.evaluate again"
LARGEST = float(np.finfo(np.float32).max)  # of a squared error
SPLITS = ("train", "valid", "test")
FINGERPRINT = re.compile(r"[0-9a-f]{16}")


def read_results(path: Path) -> dict:
    """The content of a results file. Raises UserError if a part is missing or wrong, OSError if it cannot be read."""
    try:
        content = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
        check_results(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not a results file of this package ({error}); {REMEDY}") from error
    return content


def check_results(content: object) -> None:
    """Raises WrongPart naming the first part that is not as an evaluation writes it."""
    protocol, sources = _part(content, "protocol", dict), _part(content, "sources", dict)
    unit = UNITS.get(_part(protocol, "unit", str))
    if unit is None:
        raise WrongPart(f"its unit is none of {', '.join(UNITS)}")
    if _part(protocol, "split", str) not in SPLITS:
        raise WrongPart(f"its split is none of {', '.join(SPLITS)}")
    _part(protocol, "seed", int)
    if "sampling" not in protocol:
        raise WrongPart("it has no sampling")
    for name, record in sources.items():
        if not name.isprintable():
            raise WrongPart("a name of a source cannot be printed")
        try:
            check_record(record, unit)
        except WrongPart as error:
            raise WrongPart(f"{name}: {error}") from error


def check_record(record: object, unit: Unit) -> None:
    """Raises WrongPart unless the record of a source has scores in this unit, and the numbers that follow from them."""
    scores, top = _part(record, "scores", list), 1.0 if unit == ACCURACY else LARGEST
    if not scores or not all(score is None or _is_number(score, top) for score in scores):
        raise WrongPart("its scores are not numbers of this unit")
    if _part(record, "episodes", int) != len(scores):
        raise WrongPart(f"it has {len(scores)} scores of {record['episodes']} episodes")
    if record.get("diverged", []) != diverged_episodes(scores):
        raise WrongPart("its list of diverged episodes is not that of its scores")
    with np.errstate(over="ignore"):
        expected = unit.mean(scores)
    for key in ("mean", "ci95"):
        value, own = getattr(expected, key), _number_or_none(record, key)
        if not (math.isnan(value) if own is None else math.isclose(own, value, rel_tol=1e-6, abs_tol=1e-9)):
            raise WrongPart(f"its {key} is not that of its scores")
    if not _is_number(record.get("query_std", 0.0), 1.0):
        raise WrongPart("its query_std is no number")
    if KEY in record and not (isinstance(record[KEY], str) and FINGERPRINT.fullmatch(record[KEY])):
        raise WrongPart("its fingerprint of episodes is none")
    _part(record, "data", dict)


def _refuse_constant(text: str) -> None:
    raise WrongPart(f"{text} is no JSON")


def _part(content: object, key: str, kind: type) -> object:
    if not isinstance(content, dict) or key not in content:
        raise WrongPart(f"it has no {key}")
    if type(content[key]) is not kind:
        raise WrongPart(f"its {key} is no {kind.__name__}")
    return content[key]


def _is_number(value: object, top: float) -> bool:
    """True for a number from 0 to `top`, and not for NaN, True or False."""
    return type(value) in (int, float) and 0 <= value <= top


def _number_or_none(record: dict, key: str) -> float | None:
    value = record.get(key)
    if value is None and key in record or _is_number(value, LARGEST):
        return value
    raise WrongPart(f"its {key} is no number")
