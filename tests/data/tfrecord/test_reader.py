"""Errors of the records reader for missing sources and splits; needs no TensorFlow."""

import pytest

from alfa_md.data.fixed_way import FixedWay
from alfa_md.data.sampling import Sampling
from alfa_md.data.spec import DatasetSpec, save_spec
from alfa_md.data.tfrecord.reader import records
from alfa_md.errors import MissingSource, MissingSplit, UserError


@pytest.fixture
def root(tmp_path):
    """A source of five test classes and nothing else."""
    names, counts = tuple("abcde"), (20,) * 5
    spec = DatasetSpec("signs", names, counts, {"train": 0, "valid": 0, "test": 5}, tmp_path / "signs")
    save_spec(spec, tmp_path / "signs")
    return tmp_path


def read(root, name="signs", split="test", sampling=None):
    return records(root, name, split, sampling or Sampling(), 0, decoder=None)


def test_an_existing_source_is_opened(root):
    assert read(root).name == "signs"


def test_a_source_and_a_split_that_are_missing(root):
    with pytest.raises(MissingSource, match=r"dtd/dataset_spec.json: not found"):
        read(root, "dtd")
    with pytest.raises(MissingSplit, match="signs has no valid classes"):
        read(root, split="valid")


def test_damage_is_not_taken_for_absence(root):
    (root / "signs" / "dataset_spec.json").write_text("{")
    with pytest.raises(UserError, match="not valid JSON") as caught:
        read(root)
    assert not isinstance(caught.value, MissingSource)


def test_the_sampling_of_another_reader_is_refused(root):
    with pytest.raises(UserError, match="records are sampled by Sampling, not FixedWay; set Experiment.sampling"):
        read(root, sampling=FixedWay())
