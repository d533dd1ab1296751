"""Experiments: readers, sampling and roots are exchangeable."""

from pathlib import Path

import pytest

from alfa_md.data.fixed_way import FixedWay
from alfa_md.data.roots import no_root, records_root
from alfa_md.data.sampling import Sampling
from alfa_md.errors import UserError
from alfa_md.experiment.definition import Experiment
from tests.noise import NoiseSource, noise_learner


def experiment(**options) -> Experiment:
    opened = []

    def reader(root, name, split, sampling, seed):
        opened.append((root, name, split, sampling, seed))
        return NoiseSource(name, split, seed)

    built = Experiment(noise_learner(), reader, ("a", "b"), ("a",), ("c",), **options)
    built.opened = opened
    return built


def test_a_reader_gets_the_bound_sampling_of_any_type():
    built, root = experiment(sampling=FixedWay(shots=5), train_sampling=FixedWay()), Path("images")
    built.training(root, 3), built.evaluation(root, "c", "test", 4)
    assert built.opened == [
        (root, "a", "train", FixedWay(), 3),
        (root, "b", "train", FixedWay(), 3),
        (root, "c", "test", FixedWay(shots=5), 4),
    ]


def test_training_sampling_defaults_to_sampling():
    assert experiment(sampling=FixedWay()).train_sampling == FixedWay()
    assert experiment().train_sampling == experiment().sampling == Sampling()


def test_the_hierarchy_of_several_training_sources_is_not_ignored_at_random():
    with pytest.raises(UserError, match="ignore_hierarchy_probability > 0 is for one training source"):
        experiment(train_sampling=Sampling(ignore_hierarchy_probability=0.5))


def test_the_default_root_is_a_records_root():
    assert experiment().root is records_root and experiment(root=no_root).root(None, None).kind == "generated"
