"""The official reader: against a stand-in with its interface always, and against itself where it is installed."""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import gin
import pytest
import torch
from absl import flags

from alfa_md.data.sampling import Sampling
from alfa_md.data.spec import SPLITS, BiLevelSpec, HierarchicalSpec, Node, load_spec, save_spec
from alfa_md.data.tfrecord import official_package
from alfa_md.data.tfrecord.decode import TensorflowDecoder
from alfa_md.data.tfrecord.official import official, official_batches
from alfa_md.data.tfrecord.reader import records
from alfa_md.data.tfrecord.records import write_records
from alfa_md.errors import UserError
from tests.data.records import coloured_image, write_source
from tests.entries.harness import CONFIG, TINY, run_entry, spawn_entry, write_root
from tests.shared import ROOT

pytestmark = pytest.mark.usefixtures("tf")
STAND_IN = Path(__file__).parent / "official_stand_in"
FIRST = {"train": 0, "valid": 6, "test": 11}  # of the class ids of `write_source`
REAL = next((f for f in (*map(Path, sys.path), official_package.CHECKOUT) if (f / "meta_dataset").is_dir()), None)


def forget_package() -> None:
    """As in a new process: the modules, and the flag that importing them defines."""
    official_package.load_package.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "meta_dataset"]:
        del sys.modules[name]
    if "color_jitter_strength" in flags.FLAGS:
        delattr(flags.FLAGS, "color_jitter_strength")


@pytest.fixture(autouse=True)
def no_package(tmp_path, monkeypatch):
    """No package is imported or in a place where it is looked for."""
    monkeypatch.setattr(official_package, "CHECKOUT", tmp_path / "third_party" / "meta-dataset")
    monkeypatch.setattr(sys, "path", [f for f in sys.path if not (Path(f) / official_package.PIPELINE_FILE).is_file()])
    forget_package()
    yield
    forget_package()


@pytest.fixture
def stand_in(monkeypatch):
    """The stand-in on the import path; gives the list of the requests made to its pipelines."""
    monkeypatch.syspath_prepend(STAND_IN)
    return lambda: official_package.load_package(STAND_IN.resolve()).pipeline.REQUESTS


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two sources; the colour of an image tells its class and its record."""
    root = tmp_path_factory.mktemp("records")
    write_source(root, coloured_image, "toy")
    write_source(root, coloured_image, "other")
    return root


def toy(root, split="train", seed=0, image_size=8, **sampling):
    return official(root, "toy", split, Sampling(**sampling), seed, image_size)


def names(images: torch.Tensor) -> list[tuple[int, int]]:
    """(class id, record number) of every image; also checks that it is of one colour."""
    colours = ((images / 2 + 0.5) * 255).round()
    assert torch.equal(colours, colours[:, :, :1, :1].expand_as(colours)) and not colours[:, 2].any()
    return [(int(c), int(n)) for c, n, _ in colours[:, :, 0, 0].tolist()]


def classes(images: torch.Tensor) -> list[int]:
    return [class_id for class_id, _ in names(images)]


def check(episode, split: str, index: int) -> None:
    """What holds for every episode of the official reader on `root`."""
    support, query = classes(episode.support_x), classes(episode.query_x)
    order = list(dict.fromkeys(support))
    assert episode.way == len(order) and list(dict.fromkeys(query)) == order
    assert set(order) <= set(range(FIRST[split], FIRST[split] + len(load_classes(split))))
    assert episode.support_y.tolist() == [order.index(class_id) for class_id in support]
    assert episode.query_y.tolist() == [order.index(class_id) for class_id in query]
    assert len({*names(episode.support_x), *names(episode.query_x)}) == len(support) + len(query)
    assert len(set(Counter(query).values())) == 1  # the query set is balanced, the support set need not be
    assert episode.support_x.dtype == episode.query_x.dtype == torch.float32
    assert episode.support_y.dtype == episode.query_y.dtype == torch.int64
    assert episode.support_x.shape[1:] == episode.query_x.shape[1:] == (3, 8, 8)
    assert episode.query_x.is_contiguous(memory_format=torch.channels_last)
    assert (episode.source, episode.split, episode.seed, episode.index) == ("toy", split, 0, index)


def load_classes(split: str) -> range:
    return range({"train": 6, "valid": 5, "test": 7}[split])


@pytest.mark.parametrize("split", SPLITS)
def test_every_field_is_in_its_place(root, stand_in, split):
    source = toy(root, split)
    episodes = [source.episode(index) for index in range(8)]
    for index, episode in enumerate(episodes):
        check(episode, split, index)
        description = stand_in()[-1]["drawn"][index]
        shots, queries = [k for _, k, _ in description], [q for _, _, q in description]
        assert len(set(shots)) == len(shots)
        assert torch.bincount(episode.support_y).tolist() == shots
        assert torch.bincount(episode.query_y).tolist() == queries
        assert [c + FIRST[split] for c, _, _ in description] == list(dict.fromkeys(classes(episode.support_x)))


def test_pixels_are_those_of_our_own_reader(root, stand_in):
    episode, ours = toy(root).episode(0), records(root, "toy", "train", Sampling(), 0, TensorflowDecoder(8)).episode(0)
    pixels = dict(zip(names(ours.query_x), ours.query_x, strict=True))
    theirs = dict(zip(names(episode.support_x), episode.support_x, strict=True))
    shared = pixels.keys() & theirs.keys()
    assert shared and all(torch.equal(pixels[name], theirs[name]) for name in shared)


def descriptions(source, stand_in, first: int = 0) -> list:
    """The five of episodes `first` and on, whatever the number that its pipeline has drawn ahead."""
    for index in range(first, first + 5):
        source.episode(index)
    return stand_in()[-1]["drawn"][:5]


def test_a_new_process_draws_the_same_descriptions(root, stand_in):
    before = descriptions(toy(root), stand_in)
    forget_package()
    official(root, "other", "test", Sampling(), 0, 8)  # what else is opened, and when, does not matter
    assert descriptions(toy(root), stand_in) == before
    assert descriptions(toy(root, seed=1), stand_in) != before
    assert [c for c, _, _ in descriptions(toy(root, "test"), stand_in)[0]] != [c for c, _, _ in before[0]]


def test_a_resumed_run_and_another_rank_draw_other_descriptions(root, stand_in, monkeypatch):
    before = descriptions(toy(root), stand_in)
    assert descriptions(toy(root), stand_in, first=3) == before  # the thread with number 3 may come first
    assert descriptions(toy(root), stand_in, first=200) != before
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    assert descriptions(toy(root), stand_in) != before


def test_threads_get_episodes_of_their_own(root, stand_in):
    source = toy(root)
    with ThreadPoolExecutor(4) as pool:
        episodes = list(pool.map(source.episode, range(24)))
    for index, episode in enumerate(episodes):
        check(episode, "train", index)
    made = Counter(tuple(torch.bincount(e.support_y).tolist()) for e in episodes)
    drawn = Counter(tuple(k for _, k, _ in d) for d in stand_in()[-1]["drawn"][:24])
    assert made == drawn  # none twice, none lost


def test_what_the_pipeline_is_told(root, stand_in):
    sampling = Sampling(num_support=3, min_ways=6, max_num_query=4, ignore_hierarchy_probability=0.25)
    episode = official(root, "toy", "train", sampling, 0, image_size=8).episode(0)
    request = stand_in()[-1]
    told = {name: getattr(request["episode_descr_config"], name) for name in asdict(sampling)}
    assert told == asdict(sampling) and told["num_ways"] is told["num_query"] is None
    assert (request["shuffle_buffer_size"], request["read_buffer_size_bytes"]) == (1000, 2**20)
    assert (request["num_prefetch"], request["image_size"]) == (64, 8)
    assert (request["ignore_hierarchy_probability"], request["simclr_episode_fraction"]) == (0.25, 0.0)
    assert (request["use_dag_ontology"], request["use_bilevel_ontology"]) == (False, False)
    assert request["split"].name == "TRAIN" and request["pool"] is request["num_to_take"] is None
    assert set(torch.bincount(episode.support_y).tolist()) == {3}


def test_omniglot_is_sampled_by_its_alphabets(root, stand_in, tmp_path):
    flat = load_spec(root / "toy")
    sizes = {"superclass_names": ("a", "b", "c"), "classes_per_superclass": (6, 5, 7)}
    spec = BiLevelSpec(
        "toy",
        flat.class_names,
        flat.images_per_class,
        flat.classes_per_split,
        **sizes,
        superclasses_per_split=dict.fromkeys(SPLITS, 1),
    )
    toy(with_spec(root, spec, tmp_path), "test").episode(0)
    assert (stand_in()[-1]["use_dag_ontology"], stand_in()[-1]["use_bilevel_ontology"]) == (False, True)


def test_imagenet_is_sampled_by_its_graph(root, stand_in, tmp_path):
    """Its sampler draws from lists of unequal lengths, which NumPy refuses unless told how."""
    flat, graphs = load_spec(root / "toy"), {}
    for split in SPLITS:
        leaves = tuple(f"n{class_id:02}" for class_id in flat.classes(split))
        leaf_nodes = tuple(Node(leaf, "", (), ()) for leaf in leaves)
        graphs[split] = (Node(f"root of {split}", "", leaves, ()), Node(f"{split}", "", leaves[:5], ()), *leaf_nodes)
    wn_ids = tuple(f"n{class_id:02}" for class_id in range(18))
    spec = HierarchicalSpec("toy", wn_ids, flat.images_per_class, flat.classes_per_split, graphs=graphs)
    source = toy(with_spec(root, spec, tmp_path), "test")
    assert {source.episode(index).way for index in range(20)} == {5, 7}
    assert (stand_in()[-1]["use_dag_ontology"], stand_in()[-1]["use_bilevel_ontology"]) == (True, False)


def with_spec(root, spec, folder) -> Path:
    """A root with the records of `toy` under another specification."""
    shutil.copytree(root / "toy", folder / "toy")
    save_spec(spec, folder / "toy")
    return folder


def test_ways_and_shots_that_cannot_be_met_are_refused_as_by_our_own_reader(root, stand_in):
    with pytest.raises(UserError, match="toy has 6 train classes, but an episode needs 7; lower Sampling.num_ways"):
        toy(root, num_ways=7)
    with pytest.raises(UserError, match="official.image_size = 0 must be at least 1"):
        toy(root, image_size=0)
    with pytest.raises(UserError, match="nothing/dataset_spec.json: not found"):
        official(root, "nothing", "train", Sampling(), 0, 8)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda file: file.unlink(), ".*3.tfrecords.*"),
        (lambda file: file.write_bytes(file.read_bytes()[:-3]), ".*truncated.*"),
        (
            lambda file: write_records(file, [b"\x89 no Example"] * 30),
            "a record is not a tf.train.Example with an image",
        ),
    ],
)
def test_a_class_file_that_cannot_be_read_names_the_source(root, stand_in, tmp_path, damage, reason):
    folder = with_spec(root, load_spec(root / "toy"), tmp_path)
    damage(folder / "toy" / "3.tfrecords")
    with pytest.raises(UserError, match=rf"toy \(train\): the official reader failed \({reason}\); check the class"):
        toy(folder, num_ways=6).episode(0)


def test_stamp_names_reader_specification_and_image_size(root, stand_in):
    ours = records(root, "toy", "train", Sampling(), 0, TensorflowDecoder(8)).stamp()
    stamp = toy(root).stamp()
    assert stamp == {"reader": "official", "spec": ours["spec"], "image_size": 8} and stamp != ours


def test_batches_of_one_source(root, stand_in):
    batches = official_batches(root, ["toy"], seed=0, batch_size=50, image_size=8)
    episodes = [batches.episode(index) for index in range(8)]
    assert [len(e.query_y) for e in episodes] == [50, 50, 50, 30] * 2  # the rest of a pass is a batch as well
    for index, episode in enumerate(episodes):
        assert episode.support_x.shape == (0, 3, 8, 8) and episode.support_y.shape == (0,)
        assert episode.support_y.dtype == episode.query_y.dtype == torch.int64
        assert episode.query_y.tolist() == classes(episode.query_x) and len(set(classes(episode.query_x))) > 1
        assert (episode.way, episode.source, episode.split, episode.seed) == (6, "toy", "train", 0)
        assert episode.index == index
    seen = [name for episode in episodes[:4] for name in names(episode.query_x)]
    assert sorted(seen) == [(class_id, n) for class_id in range(6) for n in range(30)]
    assert stand_in()[-1]["shuffle_buffer_size"] == 1000


def test_batches_of_two_sources_count_their_classes_on(root, stand_in):
    batches = official_batches(root, ["other", "toy"], seed=0, batch_size=20, image_size=8)
    offsets = {"other": 0, "toy": 6}
    sources = Counter()
    for index in range(30):
        episode = batches.episode(index)
        sources[episode.source] += 1
        assert episode.query_y.tolist() == [c + offsets[episode.source] for c in classes(episode.query_x)]
        assert episode.way == 12
    assert min(sources.values()) > 3 and set(sources) == set(offsets)
    assert batches.name == "other+toy" and batches.stamp()["specs"].keys() == offsets.keys()


def test_batches_that_cannot_be(root, stand_in, tmp_path):
    write_root(tmp_path / "root")
    with pytest.raises(UserError, match="traffic_sign has no train classes; leave it out of Experiment.train_sources"):
        official_batches(tmp_path / "root", ["traffic_sign"], seed=0, image_size=8)
    with pytest.raises(UserError, match="official_batches.batch_size = 0 must be at least 1"):
        official_batches(root, ["toy"], seed=0, batch_size=0, image_size=8)


def test_without_the_package_one_line_says_what_to_place_where(root, tmp_path):
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


def test_a_package_of_the_path_comes_first_and_a_folder_of_that_name_is_none(root, tmp_path, monkeypatch):
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
def test_a_checkout_that_is_not_as_it_should_be(root, tmp_path, file, text, message):
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


def test_one_binding_switches_a_whole_run(tmp_path, small_root, stand_in):
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
    assert results["data"]["reader"] == "official" and len(results["accuracies"]) == 3


def test_a_switched_run_in_a_process_of_its_own_ends_and_is_quiet(tmp_path, small_root):
    switched = [*flags_of("reader = @official"), f"--records_root_dir={small_root}", "--run_dir=run"]
    outcome = spawn_entry("train", *switched, cwd=tmp_path, first=STAND_IN)
    assert (outcome.code, outcome.err) == (0, "")


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
    from tests.data.tfrecord.test_official import check_real
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


def test_what_is_asked_of_the_official_package_holds_for_the_stand_in(root, stand_in):
    check_real(root)
