"""The miniature: format, structure, determinism, repair, and difficulty for baselines without learning."""

import io
import itertools
import json
import subprocess
import sys
import time
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alfa_md.data import miniature
from alfa_md.data.miniature import worker
from alfa_md.data.miniature.build import MANIFEST, build_miniature, checksums, is_intact
from alfa_md.data.miniature.photo import jpeg_bytes
from alfa_md.data.miniature.signs import FRAMES_PER_TRACK
from alfa_md.data.miniature.sources import MiniatureSource, miniature_sources
from alfa_md.data.sampling import EpisodeSampler, Sampling, stable_rng
from alfa_md.data.spec import SPLITS, BiLevelSpec, DatasetSpec, HierarchicalSpec, load_spec
from alfa_md.data.tfrecord.records import decode_example, read_records, scan_offsets
from alfa_md.errors import UserError
from tests.shared import ROOT

NAMES = (
    *("ilsvrc_2012", "omniglot", "aircraft", "cu_birds", "dtd", "quickdraw", "fungi", "vgg_flower"),
    *("traffic_sign", "mscoco"),
)
SMALL = "mscoco"  # the source that is drawn fastest
WAY, SHOT, QUERY, EPISODES = 5, 5, 15, 120


@pytest.fixture(scope="session")
def root() -> Path:
    """The miniature in the user's cache, where all test processes and the quickstart share it."""
    return miniature.miniature_root()


@cache
def images(directory: Path, class_id: int) -> np.ndarray:
    """All images of a class in file order, resized to [n, 32, 32, 3] in [0, 1]."""
    path = directory / f"{class_id}.tfrecords"
    offsets = scan_offsets(path)
    payloads = read_records(path, offsets, range(len(offsets) - 1))
    pictures = [Image.open(io.BytesIO(decode_example(payload, str(path))[0])) for payload in payloads]
    small = [np.asarray(picture.resize((32, 32), Image.Resampling.BILINEAR)) for picture in pictures]
    return np.stack(small).astype(np.float32) / 255.0


def nearest(queries: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The index of the nearest of `points` [n, d] to each of `queries` [m, d]."""
    return ((points**2).sum(axis=1) - 2.0 * queries @ points.T).argmin(axis=1)


def baseline_accuracies(directory: Path, classes: range) -> tuple[float, float]:
    """Percent right of (pixel nearest neighbour, nearest class mean of mean colours), 5-way 5-shot."""
    rng, scores = np.random.RandomState(0), []
    for _ in range(EPISODES):
        chosen = [images(directory, class_id) for class_id in rng.permutation(classes)[:WAY]]
        order = [rng.permutation(len(pictures))[: SHOT + QUERY] for pictures in chosen]
        support = np.concatenate([pictures[o[:SHOT]] for pictures, o in zip(chosen, order, strict=True)])
        query = np.concatenate([pictures[o[SHOT:]] for pictures, o in zip(chosen, order, strict=True)])
        truth = np.repeat(np.arange(WAY), QUERY)
        by_pixels = nearest(query.reshape(len(query), -1), support.reshape(len(support), -1)) // SHOT
        means = support.mean(axis=(1, 2)).reshape(WAY, SHOT, 3).mean(axis=1)
        by_colour = nearest(query.mean(axis=(1, 2)), means)
        scores.append(((by_pixels == truth).mean(), (by_colour == truth).mean()))
    return tuple(100.0 * np.mean(scores, axis=0))


@pytest.mark.parametrize("name", NAMES)
def test_structure_has_to_be_learned(root, name):
    spec = load_spec(root / name)
    by_pixels, by_colour = baseline_accuracies(root / name, spec.classes("test"))
    assert 30.0 <= by_pixels <= 65.0
    assert by_colour < 45.0


def test_files_are_those_of_the_format_and_small(root):
    expected = {MANIFEST, "ilsvrc_2012/num_leaf_images.json"}
    for name in NAMES:
        spec = load_spec(root / name)
        expected |= {f"{name}/dataset_spec.json"}
        expected |= {f"{name}/{class_id}.tfrecords" for class_id in range(len(spec.class_names))}
    files = [path for path in root.rglob("*") if path.is_file()]
    assert {path.relative_to(root).as_posix() for path in files} == expected
    assert sum(path.stat().st_size for path in files) < 25e6


@pytest.mark.parametrize("name", NAMES)
def test_records_agree_with_the_specification(root, name):
    spec = load_spec(root / name)
    for class_id, count in enumerate(spec.images_per_class):
        offsets = scan_offsets(spec.class_file(class_id))
        assert len(offsets) - 1 == count
        payload = read_records(spec.class_file(class_id), offsets, [count - 1])[0]
        image, label = decode_example(payload, name)
        picture = Image.open(io.BytesIO(image))
        assert (label, picture.format, picture.mode) == (class_id, "JPEG", "RGB")
        assert 48 <= picture.width == picture.height <= 72


def test_kinds_and_splits(root):
    specs = {name: load_spec(root / name) for name in NAMES}
    assert type(specs["ilsvrc_2012"]) is HierarchicalSpec
    assert type(specs["omniglot"]) is BiLevelSpec
    assert all(type(specs[name]) is DatasetSpec for name in NAMES[2:])
    missing = {(name, split) for name in NAMES for split in SPLITS if not specs[name].classes(split)}
    assert missing == {("traffic_sign", "train"), ("traffic_sign", "valid"), ("mscoco", "train")}
    existing = itertools.product(NAMES, SPLITS)
    assert all(len(specs[name].classes(split)) >= 5 for name, split in existing if (name, split) not in missing)
    assert min(specs["omniglot"].classes_per_superclass) >= 5


@pytest.mark.parametrize("name", NAMES)
def test_every_split_can_be_sampled(root, name):
    spec = load_spec(root / name)
    for split in SPLITS:
        if not spec.classes(split):
            continue
        sampler = EpisodeSampler(spec, split, Sampling(max_ways_upper_bound=10, max_support_set_size=100))
        for index in range(20):
            draws = sampler.sample(stable_rng("test", index))
            assert 5 <= len(draws) <= 10
            assert sum(draw.shots for draw in draws) <= 100
            counts = [spec.images_per_class[spec.classes(split)[draw.class_id]] for draw in draws]
            assert all(draw.shots + draw.queries <= count for draw, count in zip(draws, counts, strict=True))


def test_graph_is_a_real_ontology(root):
    spec = load_spec(root / "ilsvrc_2012")
    assert [len(spec.classes(split)) for split in SPLITS] == [48, 16, 16]
    seen = set()
    for split in SPLITS:
        nodes = {node.wn_id: node for node in spec.graphs[split]}
        assert not seen & set(nodes)
        seen |= set(nodes)
        assert all(wn_id.startswith("n9") and len(wn_id) == 9 for wn_id in nodes)
        inner = [node for node in nodes.values() if node.children_ids]
        assert min(len(node.children_ids) for node in inner) >= 2
        assert sum(not node.parents_ids for node in nodes.values()) == 1
        assert sum(len(node.parents_ids) > 1 for node in nodes.values()) >= 3
        spans = spec.spanned_leaves(split)
        eligible = [spans[node.wn_id] for node in inner if 5 <= len(spans[node.wn_id]) <= 392]
        assert len(set(eligible)) >= {"train": 6, "valid": 3, "test": 3}[split]
        assert frozenset().union(*eligible) == {name for name in nodes if not nodes[name].children_ids}


def test_image_counts_of_inner_nodes_are_those_of_their_leaves(root):
    spec = load_spec(root / "ilsvrc_2012")
    stored = json.loads((root / "ilsvrc_2012" / "dataset_spec.json").read_text())["images_per_class"]
    per_leaf = json.loads((root / "ilsvrc_2012" / "num_leaf_images.json").read_text())
    assert per_leaf == dict(zip(spec.class_names, spec.images_per_class, strict=True))
    for split in SPLITS:
        for wn_id, leaves in spec.spanned_leaves(split).items():
            assert stored[split.upper()][wn_id] == sum(per_leaf[leaf] for leaf in leaves)


def test_traffic_signs_come_in_tracks_of_near_duplicates(root):
    within, across = [], []
    for class_id in load_spec(root / "traffic_sign").classes("test"):
        pictures = images(root / "traffic_sign", class_id)
        steps = np.sqrt(((pictures[1:] - pictures[:-1]) ** 2).mean(axis=(1, 2, 3)))
        cuts = np.arange(FRAMES_PER_TRACK - 1, len(steps), FRAMES_PER_TRACK)
        across += list(steps[cuts])
        within += list(np.delete(steps, cuts))
    assert max(np.quantile(within, 0.99), 2.5 * np.mean(within)) < np.mean(across)


def test_file_order_gives_traffic_signs_away(root):
    rng, scores = np.random.RandomState(1), []
    for _ in range(30):
        classes = rng.permutation(load_spec(root / "traffic_sign").classes("test"))[:WAY]
        starts = FRAMES_PER_TRACK * rng.randint(0, 6, WAY)
        films = [images(root / "traffic_sign", c)[s : s + SHOT + QUERY] for c, s in zip(classes, starts, strict=True)]
        support, query = (np.concatenate([film[part] for film in films]) for part in (slice(SHOT), slice(SHOT, None)))
        found = nearest(query.reshape(len(query), -1), support.reshape(len(support), -1)) // SHOT
        scores.append((found == np.repeat(np.arange(WAY), QUERY)).mean())
    assert np.mean(scores) > 0.85


@pytest.mark.parametrize("name", NAMES)
def test_a_class_drawn_again_has_the_same_bytes(root, tmp_path, name):
    class_id = len(miniature_sources()[name].generators) - 1
    (tmp_path / name).mkdir()
    worker.write_class(tmp_path, miniature_sources()[name], class_id, seed=0)
    written = [(folder / name / f"{class_id}.tfrecords").read_bytes() for folder in (tmp_path, root)]
    assert written[0] == written[1]


def test_bytes_depend_on_the_seed_not_on_the_number_of_workers(tmp_path, monkeypatch):
    whole = miniature_sources()[SMALL]
    first_three = MiniatureSource(whole.spec, whole.generators[:3])
    monkeypatch.setattr(worker, "miniature_sources", lambda: {SMALL: first_three})
    found = {}
    for seed, workers in ((3, 1), (3, 2), (4, 1)):
        folder = tmp_path / f"{seed}-{workers}"
        (folder / SMALL).mkdir(parents=True)
        for number in range(workers):
            worker.write_share(folder, seed, number, workers, [SMALL])
        found[seed, workers] = checksums(folder)
    assert len(found[3, 1]) == 3
    assert found[3, 1] == found[3, 2]
    assert not set(found[3, 1].values()) & set(found[4, 1].values())


def test_drawing_takes_less_than_a_minute_on_two_cores():
    seconds = 0.0
    for source in miniature_sources().values():
        started = time.process_time()
        for class_id, pictures in enumerate(source.generators):
            for picture in pictures.images(stable_rng(class_id), 1):
                jpeg_bytes(picture)
        seconds += (time.process_time() - started) / len(source.generators) * sum(source.spec.images_per_class)
    assert seconds < 2 * 60.0


@pytest.fixture
def small_miniature(tmp_path, monkeypatch) -> Path:
    """A miniature of one source in a cache of its own."""
    monkeypatch.setenv("ALFA_MD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(miniature, "build_miniature", partial(build_miniature, workers=1, names=[SMALL]))
    return miniature.miniature_root(seed=5)


def corrupt(path: Path) -> None:
    """Change one byte."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_damaged_or_missing_file_is_found_and_cured(small_miniature):
    original = checksums(small_miniature)
    started = time.perf_counter()
    assert is_intact(small_miniature, 5)
    assert time.perf_counter() - started < 1.0
    for damage in (corrupt, Path.unlink):
        damage(small_miniature / SMALL / "3.tfrecords")
        assert not is_intact(small_miniature, 5)
    (small_miniature / MANIFEST).write_text("{")
    assert miniature.miniature_root(seed=5) == small_miniature
    assert checksums(small_miniature) == original
    assert [path.name for path in small_miniature.parent.iterdir() if path.suffix != ".lock"] == [small_miniature.name]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": {}}', '{"version": 1, "seed": 5, "files": {"a": "b"}}'])
def test_a_bad_manifest_is_damage(tmp_path, content):
    (tmp_path / MANIFEST).write_text(content)
    assert not is_intact(tmp_path, 5)


def test_an_intact_copy_is_not_built_again(small_miniature, monkeypatch):
    monkeypatch.setattr(miniature, "build_miniature", lambda *_: pytest.fail("built again"))
    assert miniature.miniature_root(seed=5) == small_miniature


def test_two_processes_may_build_at_once(tmp_path):
    imported = "from pathlib import Path; from alfa_md.data.miniature import build_miniature"
    code = f"{imported}; build_miniature(Path('root'), 5, 1, ['{SMALL}'])"
    path = {"PYTHONPATH": str(ROOT)}
    builders = [subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=path) for _ in range(2)]
    assert [builder.wait() for builder in builders] == [0, 0]
    assert is_intact(tmp_path / "root", 5)
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ALFA_MD_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="set ALFA_MD_CACHE to a directory"):
        miniature.miniature_root()


def test_a_failing_worker_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="failed"):
        build_miniature(tmp_path / "root", 5, 2, [SMALL])
    assert not list(tmp_path.iterdir())
