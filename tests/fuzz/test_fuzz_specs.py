"""Fuzzing of specifications of all three kinds, as bytes and as JSON: read or refused in one line."""

import json

import pytest
from hypothesis import strategies as st

from alfa_md.data.spec import load_spec, parse_spec
from tests.data.test_spec import KINDS
from tests.fuzz.fuzzing import ANY_JSON, examples, fuzz, mutated, parsed, restructured


def check(spec) -> None:
    """A parsed specification survives a round trip."""
    if spec is not None:
        assert parse_spec(json.loads(json.dumps(spec.to_json()))) == spec
        assert len(spec.class_names) == len(spec.images_per_class) == sum(spec.classes_per_split.values())


@examples(slow=6_000)
def test_changed_values(number):
    changed = st.one_of(*(restructured(kind(), ANY_JSON) for kind in KINDS))
    fuzz(lambda data: check(parsed(parse_spec, data)), changed, number)


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
