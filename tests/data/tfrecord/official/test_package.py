"""Loading of the official package: lookup, errors, separate configuration, and the package itself if available."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import gin
import pytest

from alfa_md.data.sampling import Sampling
from alfa_md.data.spec import SPLITS
from alfa_md.data.tfrecord import official_package
from alfa_md.data.tfrecord.official import official, official_batches
from alfa_md.errors import UserError
from tests.data.tfrecord.official.harness import STAND_IN, check, classes, toy
from tests.entries.harness import CONFIG, TINY, run_entry, spawn_entry, write_root
from tests.shared import ROOT

pytestmark = pytest.mark.usefixtures("tf")
REAL = next((f for f in (*map(Path, sys.path), official_package.CHECKOUT) if (f / "meta_dataset").is_dir()), None)


def test_a_missing_package_is_reported_with_a_remedy(root, tmp_path):
    place = tmp_path / "third_party" / "meta-dataset"
    with pytest.raises(UserError) as caught:
        toy(root)
    text = str(caught.value).splitlines()[0]  # gin adds others, which the entries leave out
    assert text.startswith(
        "the official package meta_dataset is missing: clone google-research/meta-dataset, commit 16"
    )
    assert f"to {place}, or name the folder of another clone in PYTHONPATH" in text


def test_the_package_is_found_in_third_party(root, tmp_path):
    shutil.copytree(STAND_IN, tmp_path / "third_party" / "meta-dataset")
    assert official_package.find_checkout() == tmp_path / "third_party" / "meta-dataset"
    check(toy(root).episode(0), "train", 0)
    assert sys.modules["meta_dataset"].__file__.startswith(str(tmp_path))
    assert official_package.CHECKOUT.parent.name == "third_party" and str(tmp_path) not in " ".join(sys.path)


def test_its_default_place_is_below_the_repository():
    code = "from alfa_md.data.tfrecord.official_package import CHECKOUT; print(CHECKOUT)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert Path(done.stdout.strip()) == ROOT / "third_party" / "meta-dataset"


def test_the_import_path_has_precedence_and_other_folders_of_that_name_are_ignored(root, tmp_path, monkeypatch):
    shutil.copytree(STAND_IN, tmp_path / "third_party" / "meta-dataset")
    (tmp_path / "records" / "meta_dataset").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "records")
    assert official_package.find_checkout() == tmp_path / "third_party" / "meta-dataset"
    monkeypatch.syspath_prepend(STAND_IN)
    assert official_package.find_checkout() == STAND_IN.resolve()


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (official_package.GIN_FILE, "Unheard.of = 1\n", r"cannot be used \(No configurable matching 'Unheard'"),
        (
            "meta_dataset/data/sampling.py",
            "import unheard_of\n",
            "cannot be used .No module named 'unheard_of'.; check",
        ),
        ("meta_dataset/learn/gin/setups/data_config_common.gin", "DataConfig.shuffle_buffer_size = 0\n", "is off; set"),
    ],
)
def test_an_invalid_checkout_is_refused(root, tmp_path, file, text, message):
    checkout = Path(shutil.copytree(STAND_IN, tmp_path / "third_party" / "meta-dataset"))
    (checkout / file).write_text((checkout / file).read_text() + text)
    with pytest.raises(UserError) as caught:
        toy(root)
    assert re.search(message, str(caught.value).splitlines()[0])


def test_a_package_that_other_code_has_imported_is_refused(root, stand_in):
    stand_in()
    official_package.load_package.cache_clear()
    with pytest.raises(UserError, match="meta_dataset was imported by other code before; start a new process"):
        toy(root)


def test_our_configuration_is_untouched(root, stand_in):
    gin.parse_config_files_and_bindings([], ["official.image_size = 8"])
    try:
        before = gin.config_str()
        assert official(root, "toy", "train", Sampling(), 0).episode(0).query_x.shape[-1] == 8
        assert gin.config_str() == before and gin.config_is_locked()
        assert (
            "official.image_size = 8" in gin.operative_config_str() and "meta_dataset" not in gin.operative_config_str()
        )
        assert sys.modules["gin"] is gin and not {"gin.tf", "simclr"} & sys.modules.keys()
    finally:
        gin.clear_config()


@pytest.fixture
def small_root(tmp_path):
    return write_root(tmp_path / "root")


def flags_of(*lines: str) -> list[str]:
    return [*CONFIG, *(f"--gin_bindings={line}" for line in (*TINY, *lines))]


def test_one_binding_switches_a_run_to_the_official_reader(tmp_path, small_root, stand_in):
    switched = [*flags_of("reader = @official"), f"--records_root_dir={small_root}"]
    outcome = run_entry("train", *switched, "--run_dir=run", cwd=tmp_path)
    assert outcome.code == 0, outcome
    requests = [(r["dataset_spec"].name, r["split"].name, r["image_size"]) for r in stand_in()]
    assert requests == [("ilsvrc_2012", "TRAIN", 16), ("ilsvrc_2012", "VALID", 16)]
    config = (tmp_path / "run" / "config.gin").read_text()
    assert "@official" in config and "meta_dataset" not in config
    again = [f"--gin_config={tmp_path / 'run' / 'config.gin'}", f"--records_root_dir={small_root}", "--run_dir=again"]
    assert run_entry("train", *again, cwd=tmp_path).code == 0
    assert (tmp_path / "again" / "config.gin").read_text() == config

    outcome = run_entry("evaluate", "--run_dir=run", "--sources=omniglot", "--num_episodes=3", cwd=tmp_path)
    assert outcome.code == 0, outcome
    assert [(r["dataset_spec"].name, r["split"].name) for r in stand_in()][4:] == [("omniglot", "TEST")]
    results = json.loads((tmp_path / "run" / "results" / "test.json").read_text())["sources"]["omniglot"]
    assert results["data"]["reader"] == "official" and len(results["scores"]) == 3


def test_a_run_with_the_official_reader_exits_and_prints_warnings_of_the_package_alone(tmp_path, small_root):
    """Its information is left out: ten lines for every pipeline, a hundred for ten sources."""
    package = Path(shutil.copytree(STAND_IN, tmp_path / "clone"))
    pipeline = package / official_package.PIPELINE_FILE
    spoken = '    logging.warning("few records")\n    logging.error("no records")\n    sampler ='
    assert "    sampler =" in pipeline.read_text() and "logging.info(" in pipeline.read_text()
    pipeline.write_text(pipeline.read_text().replace("    sampler =", spoken))
    switched = [*flags_of("reader = @official"), f"--records_root_dir={small_root}", "--run_dir=run"]
    outcome = spawn_entry("train", *switched, cwd=tmp_path, first=package)
    assert outcome.code == 0, outcome
    assert [line.split("] ")[-1] for line in outcome.err.splitlines()] == 2 * ["few records", "no records"]


@pytest.mark.skipif(REAL is None, reason="the official package is not at third_party/meta-dataset or on PYTHONPATH")
def test_the_official_package_itself(root):
    """In a process of its own, ended hard: threads of its pipeline may keep it from ending."""
    done = subprocess.run(
        [sys.executable, "-c", REAL_EPISODES, str(root), str(REAL)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


REAL_EPISODES = """
import os, sys, traceback
from pathlib import Path
sys.path.insert(0, sys.argv[2])
try:
    from tests.data.tfrecord.official.test_package import check_real
    check_real(Path(sys.argv[1]))
except BaseException:
    traceback.print_exc()
    os._exit(1)
os._exit(0)
"""


def check_real(root: Path) -> None:
    """Episodes of all splits, then batches, by whatever package is on the import path."""
    for split in SPLITS:
        source = toy(root, split)
        for index in range(6):
            check(source.episode(index), split, index)
    batches = official_batches(root, ["toy", "other"], seed=0, batch_size=50, image_size=8)
    for index in range(6):
        episode = batches.episode(index)
        offset = {"toy": 0, "other": 6}[episode.source]
        assert episode.query_y.tolist() == [c + offset for c in classes(episode.query_x)] and episode.way == 12
        assert episode.support_x.shape == (0, 3, 8, 8)


def test_the_checks_of_the_official_package_hold_for_the_stand_in(root, stand_in):
    check_real(root)
