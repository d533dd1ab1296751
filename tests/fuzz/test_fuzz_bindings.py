"""Bad values for every parameter that a gin file reaches: refused in one line, or a run that makes sense.

A sample of the values with a fixed seed; `python -m tests.fuzz.gin_values` tries all of them.
"""

import random

import pytest

from tests.entries.harness import environment
from tests.fuzz import gin_values
from tests.fuzz.forking import Ended

SEED = 18
TRIED = 12  # values of a parameter, of some thirty
NONSENSE = {
    "train.clip_norm": ("0", "-1", "1e400", "0.0"),
    "step_decay.decay_rate": ("1e400", "-0.5", "-1e400"),
    "train.learning_rate": ("1e400", "-0.5"),
    "train.weight_decay": ("1e400", "-0.5"),
    "alfa.inner_rate": ("1e400", "-1", "10**400"),
    "alfa.inner_decay": ("1e400", "-1"),
    "train.episodes_per_step": ("0", "-1", "10**18"),
    "train.num_validation_episodes": ("0", "10**18"),
    "Sampling.min_log_weight": ("1e18", "-1e400"),
    "Sampling.max_log_weight": ("1e18", "1e400"),
    "Sampling.num_query": ("0", "10**18"),
    "alfa.num_steps": ("3", "1"),
    "train.experiment": ("3", "None", "@GradientLearner"),
    "records.root": ("'x'",),
    "GradientLearner.backbone": ("@PrototypeHead()", "@GradientLearner", "@turbo()"),
    "records.decoder": ("@turbo", "@sgd", "@PrototypeHead()"),
    "train.schedule": ("@GradientLearner", "@sgd", "@Sampling()"),
    "Experiment.reader": ("@sgd", "@turbo", "@PrototypeHead()", "@GradientLearner", "@flat"),
    "Experiment.train_sampling": ("0", "''", "()"),
}
SENSIBLE = {
    "alfa.inner_rate": ("0", "1", "0.5"),
    "alfa.inner_decay": ("0", "1"),
    "GradientLearner.num_steps": ("1", "3"),
}
FILE = "gin/proto_maml_alfa.gin"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    gin_values.preload()
    place = tmp_path_factory.mktemp("values")
    gin_values.write_data(place)
    (place / "cache").mkdir()
    with environment(place / "cache"):
        yield place


def tried(name: str, value: str, folder) -> Ended:
    return gin_values.attempt(gin_values.Site(FILE, name, ""), value, folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused(folder, name):
    for value in NONSENSE[name]:
        ended = tried(name, value, folder)
        assert ended.kind == "refused" and name in ended.text, (value, ended)


@pytest.mark.slow
@pytest.mark.parametrize("name", SENSIBLE)
def test_whole_numbers_are_rates(folder, name):
    for value in SENSIBLE[name]:
        ended = tried(name, value, folder)
        assert ended.kind == "ran", (value, ended)


@pytest.mark.slow
def test_every_parameter_of_every_file(folder):
    """Each parameter that the shipped files reach, once: a sample of values for each."""
    rng, found = random.Random(SEED), []
    for site in gin_values.unique_sites(gin_values.files(), folder):
        for value in rng.sample(gin_values.VALUES, TRIED):
            ended = gin_values.attempt(site, value, folder)
            if ended.kind not in ("refused", "ran"):
                found.append((site, value, ended))
    assert not found
