"""Parsing of gin files and bindings, errors in them, and comparison of configurations."""

import logging

import gin
import pytest

import alfa_md.training.loop  # noqa: F401  so that bindings of `train` are known whatever is read first
from alfa_md.errors import UserError
from alfa_md.experiment import config
from alfa_md.experiment.definition import Experiment

FILES = ["gin/proto_maml_alfa.gin", "gin/quickstart.gin"]


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def refusal(files, bindings=()) -> str:
    """The one-line error message of an invalid configuration."""
    with pytest.raises(UserError) as caught:
        config.parse(files, bindings)
    message = str(caught.value)
    assert "\n" not in message and message == message.strip()
    return message


@pytest.mark.parametrize(
    ("binding", "parts"),
    [
        ("trian.num_updates = 3", ["No configurable matching 'trian'", "trian.num_updates = 3", "did you mean train"]),
        ("train.num_update = 3", ["'train' doesn't have a parameter named 'num_update'", "did you mean num_updates"]),
        ("GradientLearner.rule = @alpha", ["No configurable matching reference '@alpha'", "alfa"]),
        ("train/Samplin.num_ways = 5", ["No configurable matching 'Samplin'", "did you mean Sampling"]),
        ("INNER_RAT = 0.1", ["nothing uses the macro INNER_RAT", "did you mean INNER_RATE"]),
        ("sgd.inner_rate = %INNER_RAT", ["the macro INNER_RAT has no value", "did you mean INNER_RATE"]),
        ("train.num_updates = many", ["Failed to parse token 'many'", "train.num_updates = many"]),
        ("train.num_updates =", ["Unable to parse value", "train.num_updates ="]),
        ("train.num_updates", ["expected ':' or '='", "train.num_updates"]),
        ("Experiment.test_sources = ('dtd',", ["a bracket or a string is not closed"]),
        ("import alfa_md.rules.alpha", ["No module named 'alfa_md.rules.alpha'"]),
    ],
)
def test_a_wrong_binding_is_named_with_its_nearest_names(binding, parts):
    message = refusal(FILES, ["train.learning_rate = 0.1", binding])
    assert all(part in message for part in parts), message


@pytest.mark.parametrize(
    ("bindings", "message"),
    [
        (["train.num_updates = 'ten'"], "train.num_updates = 'ten' must be a whole number"),
        (["train.num_updates = True"], "train.num_updates = True must be a whole number"),
        (["train/Sampling.num_ways = 2.0"], "train/Sampling.num_ways = 2.0 must be a whole number of at least 1"),
        (["INNER_RATE = 'fast'"], "INNER_RATE = 'fast', bound to sgd.inner_rate, must be a number"),
        (["RATE = 'fast'", "INNER_RATE = %RATE"], "RATE = 'fast', bound to sgd.inner_rate, must be a number"),
        (["INNER_RATE = %INNER_RATE"], "the macro INNER_RATE is defined by itself"),
        (["A = %B", "B = %A", "INNER_RATE = %A"], "the macro A is defined by itself"),
        (["BACKBONE = @FourLayerConvNet"], "BACKBONE = @FourLayerConvNet, bound to GradientLearner.backbone, must be"),
        (["GradientLearner.head = @sgd()"], "GradientLearner.head = @sgd() must be a Head, written @name()"),
        (
            ["GradientLearner.rule = @sgd()"],
            "must be a reference @name that takes 2 arguments and returns UpdateRule; write @sgd",
        ),
        (
            ["Experiment.test_sources = ('dtd', 3)"],
            "Experiment.test_sources = ('dtd', 3) must be a list, each a string",
        ),
    ],
)
def test_a_value_of_another_type_is_named_by_its_binding(bindings, message):
    assert message in refusal(FILES, bindings)


@pytest.mark.parametrize(
    "binding",
    [
        "train.learning_rate = 1",
        "Sampling.num_support = (1, 5)",
        "Sampling.num_support = None",
        "GradientLearner.rule = @sgd",
    ],
)
def test_values_of_the_right_type_pass(binding):
    config.parse(FILES, [binding])
    name, value = binding.split(" = ")
    assert str(gin.query_parameter(name)) == value


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("train.num_update = 3", ["num_update'", 'own.gin", line 2', "did you mean num_updates"]),
        ("train.num_updates = = 3", ["Unable to parse value", "own.gin, line 2", "train.num_updates = = 3"]),
        ("include 'gin/mamml.gin'", ["Unable to open file: gin/mamml.gin", 'own.gin", line 2']),
        ("INNER_RAT = 0.1", ["nothing uses the macro INNER_RAT", "did you mean INNER_RATE"]),
    ],
)
def test_a_wrong_line_of_a_file_is_named_with_file_and_line(tmp_path, text, parts):
    file = tmp_path / "own.gin"
    file.write_text(f"include 'gin/maml.gin'\n{text}\n")
    message = refusal([str(file)])
    assert all(part in message for part in parts), message


def test_a_misspelt_file_is_refused_with_the_nearest_names():
    assert "gin file not found: gin/proto_mamml.gin; did you mean gin/proto_maml.gin" in refusal(
        ["gin/proto_mamml.gin"]
    )
    assert "there are: gin/maml.gin, gin/maml_alfa.gin" in refusal(["nowhere/of/any/use"])


def test_nothing_is_logged_while_reading_and_logging_goes_on_after(tmp_path, caplog):
    file = tmp_path / "own.gin"
    file.write_text("include 'gin/mamml.gin'\n")
    refusal([str(file)])
    assert caplog.records == []
    logging.getLogger("after").error("heard")
    assert [record.message for record in caplog.records] == ["heard"]


def test_files_and_their_includes_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config.parse(FILES)
    assert gin.query_parameter("GradientLearner.num_steps") == 3
    (tmp_path / "own.gin").write_text("include 'gin/maml.gin'\nGradientLearner.num_steps = 7\n")
    config.parse(["own.gin"])
    assert gin.query_parameter("GradientLearner.num_steps") == 7


def test_later_files_and_then_bindings_win_and_nothing_is_left_of_before():
    config.parse([*FILES, "gin/quickstart.gin"], ["train.num_updates = 3"])
    assert gin.query_parameter("train.num_updates") == 3
    config.parse(["gin/maml.gin"])
    assert gin.query_parameter("train.num_updates") == 75000
    with pytest.raises(ValueError):
        gin.query_parameter("FourLayerConvNet.num_filters")


def test_a_binding_may_put_a_macro_of_a_file_out_of_use(tmp_path):
    config.parse(FILES, ["turbo.image_size = 16"])  # IMAGE_SIZE has no reader now
    assert gin.query_parameter("turbo.image_size") == 16
    own = tmp_path / "own.gin"
    own.write_text("include 'gin/maml.gin'\nMINE = 2\nGradientLearner.num_steps = %MINE\n")
    config.parse([str(own)], ["GradientLearner.num_steps = 3"])
    assert gin.query_parameter("GradientLearner.num_steps") == 3


def small_configuration(*bindings: str) -> str:
    """The operative config of an experiment without records."""
    sources = ["Experiment.train_sources = ('a',)", "Experiment.validation_sources = ('a',)"]
    config.parse(["gin/parts/training.gin"], ["import alfa_md.experiment.definition", *sources, *bindings])
    Experiment(learner=None, reader=None)
    return config.operative()


def test_differences_name_the_bindings_and_both_values():
    long = "(" + ", ".join(f"'a source with a long name {number}'" for number in range(8)) + ")"
    old = small_configuration()
    new = small_configuration("Experiment.train_sources = ('a', 'b')")
    assert config.differences(old, old) == []
    assert config.differences(old, new) == ["Experiment.train_sources: ('a',) -> ('a', 'b')"]
    wrapped = small_configuration(f"Experiment.test_sources = {long}")
    assert "'a source with a long name 7'" in wrapped and max(map(len, wrapped.splitlines())) <= 120
    (only,) = config.differences(old, wrapped)
    assert only.startswith("Experiment.test_sources: ") and only.endswith("'a source with a long name 7')")


def test_differences_tell_what_is_unset_on_either_side():
    assert config.differences("a.x = 1\n", "a.y = 2\n") == ["a.x: 1 -> unset", "a.y: unset -> 2"]
    assert config.differences("a.x = 1\n", "a.y = 2\n", but=["a.y"]) == ["a.x: 1 -> unset"]
    assert config.differences("# note = 1\nimport m\na.x = 1\n", "a.x = 1\n") == []


def test_the_operative_configuration_reads_again_as_it_is(tmp_path):
    text = small_configuration("Experiment.train_sources = ('a', 'b')")
    (tmp_path / "config.gin").write_text(text)
    config.parse([str(tmp_path / "config.gin")])
    Experiment(learner=None, reader=None)
    assert config.operative() == text


def test_a_parameter_at_its_default_differs_from_none_in_nothing():
    """As after an upgrade, or with another decoder."""
    config.parse(["gin/proto_maml_alfa.gin"])
    old, new = "turbo.num_threads = 1\n", "decoder/turbo.max_pixels = 100000000\nGradientLearner.precision = @float32\n"
    assert config.differences(old, old + new) == [] and config.differences(old + new, old) == []
    assert config.differences(old, old + new.replace("100000000", "7")) == ["decoder/turbo.max_pixels: unset -> 7"]


def test_a_parameter_that_has_been_renamed_is_refused_with_its_name_of_today(monkeypatch):
    values = {("GradientLearner.old", "True"): ("GradientLearner.prepare", "None")}
    monkeypatch.setattr(config.renamed, "VALUES", values)
    with pytest.raises(UserError, match="parameter named 'old'.*; it is GradientLearner.prepare now"):
        config.parse(["gin/proto_maml_alfa.gin"], ["FLAG = True", "GradientLearner.old = %FLAG"])


def test_fingerprint_is_short_stable_and_different_for_another_text():
    assert config.config_hash("") == "e3b0c44298fc1c14"
    assert config.config_hash("a.x = 1\n") != config.config_hash("a.x = 2\n")
