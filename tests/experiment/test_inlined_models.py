"""Folders of models in configurations: replaced by their content, so that a stored configuration needs no folder."""

import json

import gin
import pytest

from alfa_md.errors import UserError
from alfa_md.experiment import config
from alfa_md.experiment.inlined_models import inline_models
from tests.backbones.foreign_networks import DINOV2
from tests.entries.harness import needs_tensorflow

pytestmark = needs_tensorflow
FILES = ("gin/proto_maml_alfa.gin", "gin/quickstart.gin", "gin/parts/hub_backbone.gin")


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def bound(*lines: str) -> object:
    config.parse(FILES, lines)
    inline_models()
    return gin.query_parameter("hub_backbone.model")


def test_a_folder_is_replaced_and_the_place_of_weights_is_kept(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(DINOV2))
    assert bound(f"HUB_MODEL = '{tmp_path}'") == DINOV2
    assert gin.query_parameter("%HUB_MODEL") == str(tmp_path)
    assert bound(f"OTHER = '{tmp_path}'", "HUB_MODEL = %OTHER") == DINOV2
    assert bound(f"hub_backbone.model = '{tmp_path}'") == DINOV2


def test_a_configuration_stays_as_it_is():
    bound()
    assert str(gin.query_parameter("hub_backbone.model")) == "%HUB_MODEL"
    assert bound(f"hub_backbone.model = {DINOV2!r}") == DINOV2


def test_a_folder_that_is_not_there_is_named():
    with pytest.raises(UserError, match="^nowhere: has no config.json"):
        bound("HUB_MODEL = 'nowhere'")
