"""What the pages let one switch, switched on stored configurations: of today, and of an older version with a part."""

import re

import gin
import pytest

from alfa_md.errors import UserError
from alfa_md.experiment import config, definition
from alfa_md.experiment.gin_parts import missing_binding
from tests.entries.harness import TINY, needs_tensorflow
from tests.shared import ROOT

pytestmark = needs_tensorflow
PARTS = [
    f"include 'gin/parts/{path.name}'"
    for path in sorted((ROOT / "gin" / "parts").glob("*.gin"))
    if path.read_text().startswith("# After another file")
]
SWITCHES = [
    *("reader = @official", "reader = @records", "cache = None", "cache = @ImageCache()"),
    *("decoder = @turbo()", "decoder = @tensorflow()", "decoder = @installed_decoder()"),
    *(f"GradientLearner.rule = @{rule}" for rule in ("sgd", "alfa", "lslr", "lslr_decay", "adam", "momentum")),
    *(f"GradientLearner.adapts = @{what}" for what in ("everything", "head_only", "body_only", "all_but_batch_norm")),
    "GradientLearner.adapts = @norms_only",
    *(f"GradientLearner.batching = {how}" for how in ("@vmapped", "@captured", "None")),
    *(f"GradientLearner.recompute = @{how}" for how in ("keep_all", "recompute_all", "recompute_alternate")),
    *(f"GradientLearner.precision = @{kind}" for kind in ("bfloat16", "float32")),
    *("GradientLearner.head = @ZeroHead()", "GradientLearner.head = @PrototypeHead()"),
    *("GradientLearner.first_order = False", "GradientLearner.num_steps = 3", "support_moments.query_portion = 10"),
    *("train.schedule = @flat", "train.schedule = @cosine_decay", "Experiment.batches = @official_batches"),
    "GradientLearner.additional_evaluation_steps = 5",
    *PARTS,
]


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> dict[str, str]:
    """The configurations of a run with our reader, one with the official reader, and one of an older version."""
    files = {"old": str(ROOT / "tests" / "stored_runs" / "plain" / "config.gin")}
    for name, reader in {"own": "@records", "official": "@official"}.items():
        config.parse(["gin/proto_maml_alfa.gin", "gin/quickstart.gin"], [*TINY, f"reader = {reader}"])
        build()
        files[name] = str(tmp_path_factory.mktemp(name) / "config.gin")
        with open(files[name], "w") as file:
            file.write(config.operative())
    gin.clear_config()
    return files


def build() -> None:
    """Builds the experiment, and calls what readers and batches take from gin. Raises as a call without it would."""
    experiment = definition.build_experiment(0)
    for opened in filter(None, (experiment.reader, experiment.batches)):
        name = opened.__name__
        if name.startswith("official") and name not in str(gin.config._CONFIG):
            raise RuntimeError(f"Required bindings for `{name}` not provided in config: ['image_size']")
        gin.get_bindings(name)


@pytest.mark.parametrize("name", ["own", "official", "old"])
@pytest.mark.parametrize("switch", SWITCHES)
def test_it_is_switched_or_a_part_is_named_that_does_it(stored, name, switch):
    try:
        config.parse([stored[name]], [switch])
        build()
    except (UserError, RuntimeError) as error:
        line = missing_binding(str(error))
        assert name == "old" or re.search("@(adam|momentum)", switch), line  # rules beside the shipped learners
        part = re.search(r'; add --gin_bindings="(include .*)" before it$', line)[1]
        config.parse([stored[name]], [part, switch])
        build()


def test_a_run_of_the_official_reader_of_an_older_version_names_the_part_of_ours():
    error = "Required bindings for `records` not provided in config: ['decoder']\n  In call to"
    assert missing_binding(error).endswith(
        "['decoder']; add --gin_bindings=\"include 'gin/parts/records.gin'\" before it"
    )
    assert missing_binding("Required bindings for `LearnedHead` not provided in config: ['num_features']").endswith(
        "']"
    )
