"""A foreign backbone learns: meta-training of a small DINOv2 with ALFA on the miniature."""

import gin
import pytest

from alfa_md.data.miniature import miniature_root
from alfa_md.experiment import config, definition
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.metrics import paired_difference
from alfa_md.training import loop
from tests.entries.harness import needs_tensorflow
from tests.noise import CPU, accuracies

FILES = ("gin/proto_maml_alfa.gin", "gin/quickstart.gin", "gin/parts/hub_backbone.gin")
MODEL = {
    **{"model_type": "dinov2", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
    **{"patch_size": 8, "image_size": 32, "mlp_ratio": 2, "initializer_range": 0.15},
}


@pytest.mark.slow
@needs_tensorflow
def test_meta_training_beats_the_untrained_network(tmp_path):
    """fo-Proto-MAML + ALFA on 32 pixels, patches of 8, 100 updates: by more than the interval of the gain."""
    lines = (f"HUB_MODEL = {MODEL!r}", "IMAGE_SIZE = 32", "train.num_updates = 100", "train.validate_every = 100")
    try:
        config.parse(FILES, lines)
        built, root = definition.build_experiment(0), miniature_root()
        source = built.evaluation(root, "ilsvrc_2012", "test", seed=0)
        untrained = accuracies(built.learner, source, 40)
        facts = {"name": "dinov2", "seed": 0, "data_root": str(root), "data_kind": "miniature"}
        state = loop.train(built, RunDirectory(tmp_path / "run"), root, facts, CPU)
        gain = paired_difference(accuracies(state.learner, source, 40), untrained)
        assert gain.mean > gain.ci95 > 0
    finally:
        gin.clear_config()
