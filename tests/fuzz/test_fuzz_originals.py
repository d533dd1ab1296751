"""Fuzzing of the lists in original data: converted or refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alfa_md.data.convert import fungi, mscoco
from alfa_md.data.convert_common.wordnet import (
    ancestor_graph,
    collapse_single_children,
    read_graph,
    read_words,
    sorted_leaves,
)
from alfa_md.errors import UserError

BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

numbers = st.integers(-2, 3) | st.floats() | st.sampled_from(["0", "1", ""])
anything = st.none() | numbers | st.lists(numbers, max_size=5)
boxes = st.lists(numbers, min_size=3, max_size=5) | anything


def rows(**fields: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(st.fixed_dictionaries({}, optional=fields) | st.fixed_dictionaries(fields) | anything, max_size=4)


LISTS = st.fixed_dictionaries(
    {
        "categories": rows(id=numbers, name=anything) | anything,
        "images": rows(id=numbers, file_name=anything) | anything,
        "annotations": rows(image_id=numbers, category_id=numbers, bbox=boxes) | anything,
    }
)


def one_line(read: Callable[[Path], Any], file: Path) -> Any:
    """The parsed result, or None for a one-line error."""
    try:
        return read(file)
    except UserError as error:
        assert "\n" not in str(error) and str(file) in str(error)
        return None


@BOUNDED
@given(content=LISTS | anything)
@pytest.mark.parametrize("read_list", [fungi.read_list, mscoco.read_annotations])
def test_annotations(read_list, content, tmp_path):
    file = tmp_path / "list.json"
    file.write_text(json.dumps(content))
    read = one_line(read_list, file)
    if read and read_list is mscoco.read_annotations:
        for box in (box for own in read.values() for _, box in own):
            left, top, right, bottom = mscoco.enlarged_corners(box, (60, 40))
            assert min(left, top) >= 0 and right <= 60 and bottom <= 40


@BOUNDED
@given(content=st.binary(max_size=60) | st.lists(st.sampled_from(["a b", "b c", "c a", "a c", "d a", "x", "a\tb"])))
def test_wordnet_files(content, tmp_path):
    file = tmp_path / "links.txt"
    file.write_bytes(content if isinstance(content, bytes) else "\n".join(content).encode())
    one_line(read_words, file)
    if (graph := one_line(read_graph, file)) is not None:
        ends = sorted_leaves(graph)
        assert set(sorted_leaves(ancestor_graph(graph, ends))) == set(ends)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
def test_collapsing_keeps_leaves_and_leaves_no_single_child(links):
    graph = {f"n{number}": set() for number in range(13)}
    for parent, child in links:
        if parent < child:  # no cycles
            graph[f"n{parent}"].add(f"n{child}")
    kept = collapse_single_children(graph)
    assert sorted_leaves(kept) == sorted_leaves(graph) and not any(len(children) == 1 for children in kept.values())
    assert {child for children in kept.values() for child in children} <= kept.keys()
    assert collapse_single_children(kept) == kept
