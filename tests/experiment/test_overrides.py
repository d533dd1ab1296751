"""Overrides that cannot take effect are refused by the names that they need."""

import gin
import pytest

from alfa_md.errors import UserError
from alfa_md.experiment import config

DRAWINGS, MINIATURE, PHOTOS = "gin/few_shot/maml.gin", "gin/quickstart.gin", "gin/paper/table1_conv4_maml.gin"
FILES = {"drawings": [DRAWINGS], "miniature": ["gin/proto_maml_alfa.gin", MINIATURE], "photos": [PHOTOS]}


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


@pytest.mark.parametrize(
    ("files", "binding", "names"),
    [
        ("drawings", "Transform.size = 20", ("ink/Transform.size = 28", "picture/Transform.size = 28")),
        ("drawings", "Transform.invert = False", ("ink/Transform.invert = True",)),
        ("photos", "Transform.filter = 'bicubic'", ("drawing/Transform.filter = 'nearest'",)),
        ("photos", "Transform.mean = None", ("photo/Transform.mean = (0.485, 0.456, 0.406)",)),
        ("drawings", "inc/Transform.size = 20", ("nothing is called in the scope inc of inc/Transform",)),
        ("miniature", "trian/Sampling.num_ways = 5", ("nothing is called in the scope trian", "did you mean train?")),
    ],
)
def test_an_override_out_of_reach_names_the_scoped_binding_in_force(files, binding, names):
    with pytest.raises(UserError) as caught:
        config.parse(FILES[files], [binding])
    assert all(name in str(caught.value) for name in names), caught.value
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("files", "bindings"),
    [
        ("drawings", ["Transform.invert = True"]),  # picture/ takes it, ink/ has it
        ("drawings", ["Transform.channels = 1"]),
        ("drawings", ["Transform.mean = (0.5, 0.5, 0.5)"]),  # photo/ is called by nothing here
        ("drawings", ["Transform.size = 20", "ink/Transform.size = 20", "picture/Transform.size = 24"]),
        ("miniature", ["Sampling.max_support_set_size = 20"]),  # of the tests; train/Sampling keeps its own
        ("miniature", ["BACKBONE/FourLayerConvNet.num_filters = 3", "train/Sampling.num_ways = 5"]),
        ("miniature", ["FourLayerConvNet.num_filters = 3"]),
    ],
)
def test_other_overrides_pass(files, bindings):
    config.parse(FILES[files], bindings)
    for name, value in (binding.split(" = ") for binding in bindings):
        assert gin.query_parameter(name) == gin.config.parse_value(value)


def test_references_of_before_count_beside_other_overrides_of_their_owner():
    """`images.transform` calls Transform in scopes, also where another parameter of `images` is overridden."""
    with pytest.raises(UserError, match="Transform.size = 20 does not replace"):
        config.parse([DRAWINGS], ["images.cache_megabytes = 9", "Transform.size = 20"])


def test_a_later_file_is_an_override_too(tmp_path):
    (tmp_path / "later.gin").write_text("Transform.size = 20\n")
    with pytest.raises(UserError, match="Transform.size = 20 does not replace ink/Transform.size = 28"):
        config.parse([DRAWINGS, str(tmp_path / "later.gin")])
    (tmp_path / "whole.gin").write_text(f"include '{DRAWINGS}'\nTransform.size = 20\n")  # what is unused in a file
    config.parse([str(tmp_path / "whole.gin")])


def test_training_again_needs_an_override_in_the_training_sampling_too(tmp_path):
    config.parse(["gin/omniglot_proto_maml_alfa.gin"])
    file = tmp_path / "config.gin"
    file.write_text(config.operative())
    limits = ["Sampling.max_ways_upper_bound = 7", "train/Sampling.max_ways_upper_bound = 6"]
    config.parse([str(file)], limits[:1], trusted=())
    config.parse([str(file)], limits)
    with pytest.raises(UserError, match="replace train/Sampling.max_ways_upper_bound = 20, in force .* as well$"):
        config.parse([str(file)], limits[:1])


def test_a_scoped_binding_deeper_than_another():
    bindings = ["Transform.size = 9", "ink/Transform.size = 20", "picture/Transform.size = 20"]
    config.parse([DRAWINGS], [*bindings, "ink/deep/Transform.size = 3", "images.transform = @ink/deep/Transform()"])
    with pytest.raises(UserError, match="nothing is called in the scope deep"):
        config.parse([DRAWINGS], [*bindings, "ink/deep/Transform.size = 3"])


def test_a_macro_that_a_stored_configuration_does_not_use_is_refused(tmp_path):
    config.parse(["gin/paper/table8_maml.gin"])
    (tmp_path / "config.gin").write_text(config.operative())
    config.parse([str(tmp_path / "config.gin")], ["SHOT = 3"])
    with pytest.raises(UserError, match="nothing uses the macro TASKS here, so that it would have no effect"):
        config.parse([str(tmp_path / "config.gin")], ["TASKS = 3"])
