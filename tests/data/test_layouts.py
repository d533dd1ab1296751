"""Places of records, compared with a plain list of all records in order."""

from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest

from alfa_md.data.layouts import ClassFiles, Shards


@pytest.mark.parametrize("seed", range(8))
def test_slices_of_shards(seed):
    """Shards and classes of any lengths, some of them empty."""
    random = np.random.default_rng(seed)
    lengths = tuple(random.integers(0, 6, 9).tolist())
    bounds = [0, *sorted(random.integers(0, sum(lengths) + 1, 6).tolist()), sum(lengths)]
    slices = tuple(zip(bounds, bounds[1:], strict=False))
    shards = Shards(Path("folder"), lengths, slices)
    places = [(shard, number) for shard, length in enumerate(lengths) for number in range(length)]
    for class_id, (start, stop) in enumerate(slices):
        found = [shards.locate((class_id, number)) for number in range(stop - start)]
        assert found == places[start:stop]
        assert shards.files_of([class_id]) == sorted({shard for shard, _ in places[start:stop]})
    assert shards.files_of(range(len(slices))) == sorted({shard for shard, _ in places})
    assert [shards.num_records(shard) for shard in range(9)] == list(lengths)
    assert shards.ends == tuple(accumulate(lengths))


def test_names_of_files():
    shards = Shards(Path("folder"), (2, 3), ((0, 5),))
    assert shards.file(1) == Path("folder/meta_dataset-all_classes.tfrecord-00001-of-00002")
    files = ClassFiles(Path("folder"), (4, 5))
    assert files.file(1) == Path("folder/1.tfrecords") and files.num_records(1) == 5
    assert files.locate((1, 3)) == (1, 3) and files.files_of([1, 0]) == [0, 1]
