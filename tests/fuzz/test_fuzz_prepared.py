"""Fuzzing of the metadata of sources in shards: read, or refused in one line."""

import copy
import json

import pytest
from hypothesis import strategies as st

from alfa_md.data.prepared import load_prepared
from tests.data.prepared import info, metadata
from tests.data.test_spec import bi_level, flat
from tests.fuzz.fuzzing import examples, fuzz, mutated, parsed
from tests.fuzz.test_fuzz_specs import CHANGES, changed

FILES = ("dataset_info.json", "metadata.json")


def contents(kind) -> dict[str, dict]:
    """The two files of a source of this kind in two shards."""
    spec = kind()
    counts = [*spec["images_per_class"].values()]
    stored = metadata({"v1": spec, "v2": copy.deepcopy(spec)}, [*spec["class_names"].values()], counts)
    return dict(zip(FILES, (info([1, sum(counts) - 1]), stored), strict=True))


def check(folder, kind) -> None:
    """Slices of a source that is read are those of its image counts, within the shards."""
    spec = parsed(lambda place: load_prepared(place, kind()["name"]), folder)
    if spec is not None:
        assert [stop - start for start, stop in spec.shards.slices] == list(spec.images_per_class)
        last = max(spec.layout.files_of(range(len(spec.class_names))), default=0)
        assert last < len(spec.shards.lengths) and spec.shards.ends[-1] == sum(spec.images_per_class)


@examples(slow=1_000)
def test_changed_values(tmp_path, number):
    def check_change(drawn) -> None:
        kind, changes = drawn
        for file, content in changed(lambda: contents(kind), changes).items():
            if file in FILES:
                (tmp_path / file).write_text(json.dumps(content))
        check(tmp_path, kind)

    fuzz(check_change, st.tuples(st.sampled_from([flat, bi_level]), CHANGES), number)


@pytest.mark.slow
def test_damaged_files(tmp_path):
    for name, content in contents(flat).items():
        file, whole = tmp_path / name, json.dumps(content).encode()

        def check_bytes(data: bytes, file=file) -> None:
            file.write_bytes(data)
            check(tmp_path, flat)

        for other, kept in contents(flat).items():
            (tmp_path / other).write_text(json.dumps(kept))
        fuzz(check_bytes, mutated([whole]), 100)
