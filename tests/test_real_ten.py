"""Ten sources of real images: the gin files, and the study and its variants."""

import json
from unittest import mock

import gin
import numpy as np
import pytest

from alfa_md.errors import UserError
from alfa_md.experiment import config, definition
from alfa_md.experiment.definition import META_DATASET
from alfa_md.heads import PrototypeHead, ZeroHead
from alfa_md.learners.baseline import BaselineLearner
from alfa_md.learners.prototypical import PrototypicalLearner
from alfa_md.rules.attenuate import Attenuate
from alfa_md.rules.granularities import PerStepPerLayer
from alfa_md.rules.hypers import Product, RateAndDecay
from alfa_md.rules.per_channel import PerStepPerChannel
from scripts import measure, real_ten_rates, real_ten_table
from scripts.real_ten_study import BASES, FOLDER, METHODS, REAL_TEN, TITLES
from tests.entries import harness
from tests.entries.harness import EVERY_SPLIT, needs_tensorflow, write_root
from tests.shared import ROOT

FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / FOLDER).glob("*.gin"))
LEAVES = [file for file in FILES if not file.endswith("/all.gin")]
HEADS = {"maml": ZeroHead, "proto_maml": PrototypeHead}


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def built(*files: str) -> definition.Experiment:
    config.parse(files, [])
    return definition.build_experiment(0)


def trainer(name: str) -> object:
    return gin.query_parameter(f"train.{name}")


@pytest.mark.parametrize("file", LEAVES)
def test_every_file_has_the_same_limits_sizes_and_header(file):
    made = built(file)
    for sampling in (made.sampling, made.train_sampling):
        assert (sampling.num_ways, sampling.num_support, sampling.num_query) == (None, None, None)
        assert (sampling.min_ways, sampling.max_ways_upper_bound, sampling.max_support_set_size) == (5, 10, 100)
    assert (made.train_sources, made.validation_sources) == (("ilsvrc_2012",), ("ilsvrc_2012",))
    assert made.test_sources == META_DATASET
    assert sum(p.numel() for p in made.learner.backbone.parameters()) == 3 * 64 * 9 + 3 * 64 * 64 * 9 + 4 * 2 * 64
    assert trainer("learning_rate") == 0.001 and trainer("num_updates") >= 3000
    pretraining = file.endswith("pretrain.gin")
    assert made.pretrained == (None if pretraining else f"{FOLDER}/pretrain.gin")
    text = (ROOT / file).read_text()
    assert f"# Command: python -m alfa_md.train --gin_config={file} --records_root_dir=RECORDS\n" in text
    assert "RESULTS.md" in text and len([line for line in text.splitlines() if " = " in line]) <= 10


@pytest.mark.parametrize("base", HEADS)
def test_methods_differ_in_their_rule_alone(base):
    plain = built(f"{FOLDER}/{base}.gin").learner
    assert isinstance(plain.head, HEADS[base]) and plain.first_order
    assert isinstance(plain.rule.hypers, RateAndDecay) and not list(plain.rule.parameters())
    rules = {}
    for method in METHODS:
        learner = built(f"{FOLDER}/{base}_{method.replace('-', '_')}.gin").learner
        assert isinstance(learner.head, HEADS[base]) and learner.num_steps == plain.num_steps
        assert isinstance(learner.prepare, Attenuate) == (method == "alfa-l2f")
        rules[method] = learner.rule.hypers
    assert isinstance(rules["control"], RateAndDecay) and isinstance(rules["control"].lr, PerStepPerLayer)
    for method in ("alfa", "alfa-l2f", "alfa-per-channel"):
        kind = PerStepPerChannel if method == "alfa-per-channel" else PerStepPerLayer
        assert isinstance(rules[method], Product) and isinstance(rules[method].second.lr, kind)


def test_the_other_learners():
    assert isinstance(built(f"{FOLDER}/prototypical.gin").learner, PrototypicalLearner)
    pretraining = built(f"{FOLDER}/pretrain.gin").learner
    assert isinstance(pretraining, BaselineLearner) and pretraining.classifier.num_classes == 62


def test_five_sources_change_the_training_alone():
    before, after = built(f"{FOLDER}/maml.gin"), built(f"{FOLDER}/maml.gin", f"{FOLDER}/all.gin")
    assert after.train_sources == ("ilsvrc_2012", "omniglot", "cu_birds", "fungi", "vgg_flower")
    for part in ("validation_sources", "test_sources", "sampling", "train_sampling", "pretrained"):
        assert getattr(after, part) == getattr(before, part)


def test_every_file_is_measured_at_the_same_length_and_outer_rate():
    assert {variant.config for variant in REAL_TEN.variants.values()} == {*LEAVES}
    assert list(REAL_TEN.variants) == [name for name in REAL_TEN.variants if name in TITLES]
    for name, variant in REAL_TEN.variants.items():
        assert not any(binding.startswith("train.") for binding in variant.bindings)
        assert variant.like in ("", name.removesuffix(next((f"-{m}" for m in METHODS if name.endswith(f"-{m}")), "")))
        assert bool(variant.grid) == (name.removeprefix("scratch-").removeprefix("all-") in BASES)


def stored(folder, variant, seed, scores, **more):
    """A stored result with the same scores on every source, which an offset by its place tells apart."""
    rows = {name: [None if s is None else s + place / 100 for s in scores] for place, name in enumerate(META_DATASET)}
    sources = {
        name: {"mean": float(np.mean([0 if s is None else s for s in row])), "ci95": 0.1, "scores": row}
        for name, row in rows.items()
    }
    content = {"variant": variant, "seed": seed, "updates": 3000, "cpu_seconds": 90.0, "machine": "m", "bindings": []}
    content["test_cpu_seconds"] = 30.0 if seed == 0 else None
    (folder / f"{variant}-seed{seed}.json").write_text(json.dumps(content | {"sources": sources} | more))


def cells(text: str, start: str) -> list[str]:
    """The cells of the row that begins with `start`."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return line.strip("| ").split(" | ")


def test_the_table_has_means_ranks_differences_and_choices(tmp_path):
    rate = {"bindings": ["INNER_RATE = 0.03"]}
    stored(tmp_path, "proto-maml", 0, [0.2, 0.4], grid={"INNER_RATE = 0.03": 0.5}, **rate)
    stored(tmp_path, "proto-maml", 1, [0.3, 0.5], grid={"INNER_RATE = 0.03": 0.5}, **rate)
    stored(tmp_path, "proto-maml-alfa", 0, [0.8, 0.9], **rate)
    stored(tmp_path, "proto-maml-control", 0, [0.8, 0.8], **rate)
    stored(tmp_path, "fine-tuning", 0, [None, 0.4], chosen={"FineTuningLearner.rate": "0.001"})
    text = real_ten_table.section(tmp_path)
    plain, alfa = cells(text, "fo-Proto-MAML"), cells(text, "fo-Proto-MAML + ALFA")
    assert plain[:4] == ["fo-Proto-MAML", "0, 1", "35.00±13.86", "36.00±13.86"] and plain[-2:] == ["1.5", "0.5"]
    assert plain[12:15] == ["39.50±4.38", "7.07", "3.50"]  # 13.86 / sqrt(10); of 34.5 and 44.5; behind all others
    assert alfa[12:] == ["89.50±2.19", "", "1.50", "55.00±2.19", "5.00±2.19", "1.5", "0.5"]
    assert cells(text, "fo-Proto-MAML control")[15:] == ["50.00±4.38", "", "1.5", "0.5"]
    assert cells(text, "fine-tuning of the pretrained network")[2] == "20.00±27.72"  # the episode that diverged is 0
    assert cells(text, "fo-Proto-MAML + ALFA - fo-Proto-MAML")[1:3] == ["0", "55.00±6.93"]
    words = " ".join(text.split())
    assert "Updates: 3000." in words and "Chosen for fo-Proto-MAML: 0.03, 0.03." in words and "rate 0.001." in words
    assert "Unmeasured: nearest neighbour on pretrained features; linear probe" in text
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(UserError, match="other.json is no stored result"):
        real_ten_table.section(tmp_path)


def test_what_has_no_result_is_one_paragraph(tmp_path):
    text = real_ten_table.section(tmp_path)
    assert all(title in " ".join(text.split()) for title in TITLES.values()) and "| learner" not in text


@pytest.mark.slow
@needs_tensorflow
def test_a_small_study_from_records_to_the_section(tmp_path, monkeypatch):
    sources = {**dict.fromkeys(META_DATASET, {"train": 0, "valid": 0, "test": 7}), "ilsvrc_2012": EVERY_SPLIT}
    with mock.patch.dict(harness.SOURCES, sources, clear=True):
        root = write_root(tmp_path / "records")
    small = ("IMAGE_SIZE = 16", "FourLayerConvNet.num_filters = 4", "NUM_FEATURES = 4", "cache = None")
    small += ("train.num_updates = 2", "train.num_validation_episodes = 2")
    batches = ("NUM_CLASSES = 6", "batches.batch_size = 8")
    chosen = {"pretrained": batches, "proto-maml": (), "proto-maml-alfa-l2f": ()}
    variants = {
        name: REAL_TEN.variants[name]._replace(bindings=(*small, *more), seeds=(0,)) for name, more in chosen.items()
    }
    variants["proto-maml"] = variants["proto-maml"]._replace(grid=("INNER_RATE = 0.03",))
    study = REAL_TEN._replace(variants=variants, num_episodes=2)
    monkeypatch.setattr(measure, "STORE", tmp_path / "results")
    flags = measure.make_parser().parse_args([f"--records_root_dir={root}", f"--runs_dir={tmp_path / 'runs'}"])
    assert measure.measure_all(study, list(variants), flags) == []
    text = real_ten_table.section(tmp_path / "results" / "real_ten")
    for name in chosen:
        assert cells(text, TITLES[name])[1] == "0"
    assert cells(text, TITLES["proto-maml-alfa-l2f"])[-4].count("±") == 1
    file = tmp_path / "rates.json"
    real_ten_rates.measure(str(tmp_path / "runs/real_ten/proto-maml-alfa-l2f-seed0"), str(root), file)
    rates = np.array(json.loads(file.read_text())["sources"]["omniglot"]["alpha"])
    assert rates.shape == (3, 3, 5) and (np.diff(rates, axis=0) >= 0).all()
    assert len(real_ten_rates.figure(file).axes) == 8
    with pytest.raises(UserError, match="its rule has no rates and decays|takes no inner steps with rates"):
        real_ten_rates.measure(str(tmp_path / "runs/real_ten/pretrained-seed0"), str(root), tmp_path / "none.json")
