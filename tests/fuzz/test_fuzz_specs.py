"""Fuzzing of specifications of all three kinds, as bytes and as JSON: read or refused in one line."""

import copy
import json
import math

import pytest
from hypothesis import strategies as st

from alfa_md.data.spec import load_spec, parse_spec
from tests.data.test_spec import KINDS
from tests.fuzz.fuzzing import examples, fuzz, mutated, parsed

SCALARS = st.sampled_from(
    [None, True, -1, 0, 1, 2.5, 2**31, 10**30, math.nan, math.inf, "", "0", "n3", "a\nb", "\ud800"]
)
ANY_JSON = st.recursive(
    SCALARS | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
CHANGES = st.lists(
    st.tuples(st.integers(0, 2**32), st.sampled_from(["set", "delete", "copy"]), ANY_JSON), min_size=1, max_size=3
)


def changed(kind, changes) -> dict:
    """A valid specification with values replaced, deleted or copied to another key."""
    data = copy.deepcopy(kind())
    for place, action, value in changes:
        owners = list(_containers(data))
        owner, key = owners[place % len(owners)]
        if action == "delete":
            del owner[key]
        elif action == "copy" and isinstance(owner, dict):
            owner[f"{value}"[:9]] = owner[key]
        else:
            owner[key] = value
        if not data:
            break
    return data


def _containers(data):
    """Yields (container, key) of every value at any depth."""
    for key, value in list(data.items() if isinstance(data, dict) else enumerate(data)):
        yield data, key
        if isinstance(value, dict | list):
            yield from _containers(value)


def check(spec) -> None:
    """A parsed specification survives a round trip."""
    if spec is not None:
        assert parse_spec(json.loads(json.dumps(spec.to_json()))) == spec
        assert len(spec.class_names) == len(spec.images_per_class) == sum(spec.classes_per_split.values())


@examples(slow=6_000)
def test_changed_values(number):
    fuzz(lambda data: check(parsed(parse_spec, data)), st.builds(changed, st.sampled_from(KINDS), CHANGES), number)


@examples(slow=2_000)
def test_any_json(number):
    fuzz(lambda data: check(parsed(parse_spec, data)), ANY_JSON, number)


@examples(slow=800)
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files(tmp_path, kind, number):
    folder = tmp_path / kind()["name"]
    folder.mkdir()
    file = folder / "dataset_spec.json"

    def check_file(data: bytes) -> None:
        file.write_bytes(data)
        check(parsed(load_spec, folder))

    valid = [json.dumps(kind(), indent=indent).encode() for indent in (None, 2)]
    valid += [json.dumps(kind()).encode("utf-16"), json.dumps(kind()).replace("2", "9" * 5000).encode()]
    fuzz(check_file, mutated(valid) | st.binary(max_size=30), number)
