"""Episodes and batches of the official reader, against a stand-in with its interface."""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from alfa_md.data.sampling import Sampling
from alfa_md.data.spec import SPLITS, BiLevelSpec, HierarchicalSpec, Node, load_spec, save_spec
from alfa_md.data.tfrecord.official import official, official_batches
from alfa_md.data.tfrecord.reader import records
from alfa_md.data.tfrecord.records import write_records
from alfa_md.data.tfrecord.tensorflow_decoder import TensorflowDecoder
from alfa_md.errors import UserError
from tests.data.tfrecord.official.harness import FIRST, check, classes, forget_package, names, toy
from tests.entries.harness import write_root

pytestmark = pytest.mark.usefixtures("tf")


@pytest.mark.parametrize("split", SPLITS)
def test_every_field_of_an_episode(root, stand_in, split):
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
    """Descriptions of five episodes from `first`, without those that the pipeline has prefetched."""
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


def test_arguments_of_the_pipeline(root, stand_in):
    sampling = Sampling(num_support=3, min_ways=6, max_num_query=4, ignore_hierarchy_probability=0.25)
    episode = official(root, "toy", "train", sampling, 0, image_size=8).episode(0)
    request = stand_in()[-1]
    passed = {name: getattr(request["episode_descr_config"], name) for name in asdict(sampling)}
    assert passed == asdict(sampling) and passed["num_ways"] is passed["num_query"] is None
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
    """The official sampler draws from ragged lists, which NumPy rejects without the shim."""
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


def test_unsatisfiable_ways_and_shots_are_refused_as_by_our_own_reader(root, stand_in):
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


def test_labels_of_two_sources_are_offset(root, stand_in):
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


def test_invalid_batches_are_refused(root, stand_in, tmp_path):
    write_root(tmp_path / "root")
    with pytest.raises(UserError, match="traffic_sign has no train classes; leave it out of Experiment.train_sources"):
        official_batches(tmp_path / "root", ["traffic_sign"], seed=0, image_size=8)
    with pytest.raises(UserError, match="official_batches.batch_size = 0 must be at least 1"):
        official_batches(root, ["toy"], seed=0, batch_size=0, image_size=8)
