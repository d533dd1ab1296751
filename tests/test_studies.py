"""Studies: every variant can be built; a study is run and stored once."""

import json

import gin
import pytest

from alfa_md.errors import UserError
from alfa_md.experiment import config, definition
from scripts.studies import CELLS, METHODS, SINE, STUDIES
from scripts.study import NUM_EPISODES, Study, Variant, format_commands, load_results
from tests.entries.harness import needs_tensorflow, write_root

SAMPLED = (
    *("Sampling.num_ways = 2", "Sampling.num_support = 2", "Sampling.num_query = 3", "cache = None"),
    *("train.num_validation_episodes = 5", "Experiment.test_sources = ('ilsvrc_2012',)"),
)
VARIANTS = [(study, name) for study in STUDIES.values() for name in study.variants]


@pytest.mark.parametrize(("study", "name"), VARIANTS, ids=[f"{study.name} {name}" for study, name in VARIANTS])
def test_a_variant_can_be_built(study, name):
    variant = study.variants[name]
    config.parse([variant.config], [*variant.bindings, *variant.test, *variant.grid])
    assert definition.build_experiment(0).learner.parameters()
    if variant.run:
        assert study.variants[variant.run].bindings == variant.bindings and variant.test
    gin.clear_config()


def test_all_cells_of_table_8_differ_in_method_shots_and_network_alone():
    for network, shots in CELLS:
        for method in METHODS:
            bindings = SINE.variants[f"{network}-k{shots}-{method}"].bindings
            assert {f"SHOT = {shots}", "train.num_updates = 10000", "train.episodes_per_step = 16"} <= {*bindings}


def test_a_study_is_measured_once(tmp_path):
    small = ("train.num_updates = 2", "train.num_validation_episodes = 2", "HIDDEN = (4, 4)", "NUM_FEATURES = 4")
    trained = Variant("gin/paper/table8_alfa_maml.gin", small)
    more = trained._replace(run="alfa", test=("GradientLearner.additional_evaluation_steps = 2",))
    study = Study("tiny", {"alfa": trained, "more": more})
    for variant in study.variants:
        study.measure(variant, 3, tmp_path / "runs", None, tmp_path / "results")
    runs = load_results(tmp_path / "results" / "tiny", "sine")
    alfa, further = runs["alfa"][3], runs["more"][3]
    assert len(alfa["scores"]) == NUM_EPISODES and alfa["mean"] != further["mean"]
    assert alfa["updates"] == further["updates"] == 2 and further["bindings"] == [*small, *more.test]
    assert [path.name for path in (tmp_path / "runs" / "tiny").iterdir() if path.is_dir()] == ["alfa-seed3"]
    stored = tmp_path / "results" / "tiny" / "alfa-seed3.json"
    stored.write_text(json.dumps(alfa | {"mark": True}))
    study.measure("alfa", 3, tmp_path / "elsewhere", None, tmp_path / "results")
    assert json.loads(stored.read_text())["mark"] and not (tmp_path / "elsewhere").exists()


@pytest.mark.slow
@needs_tensorflow
def test_the_best_of_a_grid_by_validation_is_tested_from_a_pretrained_backbone(tmp_path):
    small = (*("IMAGE_SIZE = 12", "VitTiny.width = 8", "VitTiny.depth = 1", "VitTiny.num_heads = 2"), *SAMPLED)
    batches = ("NUM_FEATURES = 8", "NUM_CLASSES = 6", "batches.batch_size = 8", "train.num_updates = 2")
    plain = ("GradientLearner.rule = @sgd", "train.num_updates = 0")
    grid = ("INNER_RATE = 1e30", "INNER_RATE = 0.01")  # the first diverges, which counts as 0
    variants = {
        "backbone": Variant("gin/pretrain_imagenet_vit.gin", (*small, *batches)),
        "tuned": Variant("gin/vit_alfa_lora.gin", (*small, *plain), pretrained="backbone", grid=grid),
    }
    study = Study("tiny", variants, data="RECORDS", num_episodes=5)
    records = str(write_root(tmp_path / "records"))
    for variant in variants:
        study.measure(variant, 0, tmp_path / "runs", records, tmp_path / "results")
    tuned = load_results(tmp_path / "results" / "tiny", "ilsvrc_2012")["tuned"][0]
    assert tuned["bindings"][-1] == grid[1] and tuned["grid"][grid[0]] == 0 < tuned["grid"][grid[1]]
    assert len(tuned["scores"]) == 5
    facts = json.loads((tmp_path / "runs" / "tiny" / "tuned1-seed0" / "run.json").read_text())
    assert facts["pretrained"].startswith(str(tmp_path / "runs" / "tiny" / "backbone-seed0" / "checkpoints"))
    assert not (tmp_path / "runs" / "tiny" / "tuned0-seed0" / "results" / "test.json").exists()
    text = format_commands(study, {"tuned": {0: tuned}})
    assert "# tuned, with each of INNER_RATE = 1e30; INNER_RATE = 0.01: the best by validation is tested" in text
    assert """--gin_bindings="PRETRAINED = 'RUN_OF_backbone'" """ in text


def test_a_run_of_another_configuration_is_not_taken_for_the_variant_s(tmp_path):
    small = ("train.num_updates = 1", "train.num_validation_episodes = 2", "HIDDEN = (4, 4)", "NUM_FEATURES = 4")
    store, maml = tmp_path / "results", Variant("gin/paper/table8_maml.gin", small)
    Study("tiny", {"maml": maml}).measure("maml", 0, tmp_path, None, store)
    (store / "tiny" / "maml-seed0.json").unlink()
    other = Study("tiny", {"maml": maml._replace(bindings=(*small, "train.schedule = @cosine_decay"))})
    with pytest.raises(UserError, match="maml, seed 0: exit code 2; .*is a run of another configuration.*schedule"):
        other.measure("maml", 0, tmp_path, None, store)
    assert not list((store / "tiny").iterdir())
