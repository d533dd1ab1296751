"""Studies: every variant can be built; a study is run and stored once."""

import json

import gin
import pytest

from alfa_md.errors import UserError
from alfa_md.experiment import config, definition
from scripts import measure
from scripts.measure import in_order
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
        assert study.variants[variant.run].bindings == variant.bindings and (variant.test or variant.baseline)
    gin.clear_config()


def test_all_cells_of_table_8_differ_in_method_shots_and_network_alone():
    for network, shots in CELLS:
        for method in METHODS:
            bindings = SINE.variants[f"{network}-k{shots}-{method}"].bindings
            assert {f"SHOT = {shots}", "train.num_updates = 10000", "train.episodes_per_step = 16"} <= {*bindings}


@pytest.mark.slow
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
    assert alfa["test_cpu_seconds"] > 0.5 and further["test_cpu_seconds"] > 0.5
    assert alfa["updates"] == further["updates"] == 2 and further["bindings"] == [*small, *more.test]
    assert [path.name for path in (tmp_path / "runs" / "tiny").iterdir() if path.is_dir()] == ["alfa-seed3"]
    stored = tmp_path / "results" / "tiny" / "alfa-seed3.json"
    stored.write_text(json.dumps(alfa | {"mark": True}))
    study.measure("alfa", 3, tmp_path / "elsewhere", None, tmp_path / "results")
    assert json.loads(stored.read_text())["mark"] and not (tmp_path / "elsewhere").exists()


def test_variants_come_after_those_that_they_need():
    study = STUDIES["real_ten"]
    assert in_order(study, ["maml-alfa", "fine-tuning"]) == ["pretrained", "maml", "maml-alfa", "fine-tuning"]
    assert set(in_order(study, list(study.variants))) == {*study.variants}


@pytest.mark.slow
@needs_tensorflow
def test_a_grid_from_a_pretrained_backbone_its_choice_elsewhere_and_a_baseline(tmp_path, monkeypatch):
    small = (*("IMAGE_SIZE = 12", "VitTiny.width = 8", "VitTiny.depth = 1", "VitTiny.num_heads = 2"), *SAMPLED)
    batches = ("NUM_FEATURES = 8", "NUM_CLASSES = 6", "batches.batch_size = 8", "train.num_updates = 2")
    plain = ("GradientLearner.rule = @sgd", "train.num_updates = 0")
    grid = ("INNER_RATE = 1e30", "INNER_RATE = 0.01")  # the first diverges, which counts as 0
    backbone = Variant("gin/pretrain_imagenet_vit.gin", (*small, *batches), seeds=(0,))
    tuned = Variant("gin/vit_alfa_lora.gin", (*small, *plain), pretrained="backbone", grid=grid, seeds=(0,))
    variants = {
        "backbone": backbone,
        "tuned": tuned,
        "learned": tuned._replace(bindings=(*small, "train.num_updates = 1"), grid=(), like="tuned"),
        "probe": backbone._replace(run="backbone", baseline="linear_probe"),
    }
    study = Study("tiny", variants, data="RECORDS", num_episodes=5)
    monkeypatch.setattr(measure, "STORE", tmp_path / "results")
    flags = [f"--records_root_dir={write_root(tmp_path / 'records')}", f"--runs_dir={tmp_path / 'runs'}"]
    assert measure.measure_all(study, list(variants), measure.make_parser().parse_args(flags)) == []
    runs = load_results(tmp_path / "results" / "tiny", "ilsvrc_2012")
    found = {name: runs[name][0] for name in variants}
    assert found["tuned"]["bindings"][-1] == found["learned"]["bindings"][-1] == grid[1]
    assert found["tuned"]["grid"][grid[0]] == 0 < found["tuned"]["grid"][grid[1]]
    assert [found[name]["updates"] for name in variants] == [2, 0, 1, 2]
    assert found["probe"]["chosen"].keys() == {"LinearProbeLearner.l2"} and "chosen" not in found["backbone"]
    assert all(len(result["scores"]) == 5 for result in found.values())
    folder = tmp_path / "runs" / "tiny"
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {
        f"{name}-seed0" for name in ("backbone", "tuned0", "tuned1", "learned")
    }
    facts = json.loads((folder / "learned-seed0" / "run.json").read_text())
    assert facts["pretrained"].startswith(str(folder / "backbone-seed0" / "checkpoints"))
    assert f"INNER_RATE = {grid[1].split()[-1]}" in (folder / "learned-seed0" / "config.gin").read_text()
    assert not (folder / "tuned0-seed0" / "results" / "test.json").exists()
    text = format_commands(study, {name: {0: found[name]} for name in variants})
    assert "# tuned, with each of INNER_RATE = 1e30; INNER_RATE = 0.01: the best by validation is tested" in text
    assert "# learned, with the binding that was chosen for tuned" in text
    assert """--gin_bindings="PRETRAINED = 'RUN_OF_backbone'" """ in text
    assert "--run_dir=RUN_OF_backbone --num_episodes=5 --baselines=linear_probe" in text
    stored = tmp_path / "results" / "tiny" / "probe-seed0.json"
    first = json.loads(stored.read_text())
    stored.unlink()
    assert measure.measure_all(study, ["probe"], measure.make_parser().parse_args(flags)) == []
    assert json.loads(stored.read_text()) == first | {"test_cpu_seconds": None} and first["test_cpu_seconds"] > 0


def test_a_choice_that_is_not_measured_is_missed(tmp_path):
    study = Study("tiny", {"learned": Variant("gin/paper/table8_control.gin", like="tuned")})
    with pytest.raises(UserError, match="tuned-seed0.json is missing, .*measure tuned first"):
        study.measure("learned", 0, tmp_path / "runs", None, tmp_path / "results")
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_run_of_another_configuration_is_not_taken_for_the_variant_s(tmp_path):
    small = ("train.num_updates = 1", "train.num_validation_episodes = 2", "HIDDEN = (4, 4)", "NUM_FEATURES = 4")
    store, maml = tmp_path / "results", Variant("gin/paper/table8_maml.gin", small)
    Study("tiny", {"maml": maml}).measure("maml", 0, tmp_path, None, store)
    (store / "tiny" / "maml-seed0.json").unlink()
    other = Study("tiny", {"maml": maml._replace(bindings=(*small, "train.schedule = @cosine_decay"))})
    with pytest.raises(UserError, match="maml, seed 0: exit code 2; .*is a run of another configuration.*schedule"):
        other.measure("maml", 0, tmp_path, None, store)
    assert not list((store / "tiny").iterdir())
