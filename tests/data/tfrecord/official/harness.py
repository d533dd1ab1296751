"""Helpers of the tests of the official reader: path of the stand-in, and checks of every episode."""

import sys
from collections import Counter
from pathlib import Path

import torch
from absl import flags

from alfa_md.data.sampling import Sampling
from alfa_md.data.tfrecord import official_package
from alfa_md.data.tfrecord.official import official

STAND_IN = Path(__file__).parent / "stand_in"
FIRST = {"train": 0, "valid": 6, "test": 11}  # of the class ids of `write_source`


def forget_package() -> None:
    """As in a new process: the modules, and the flag that importing them defines."""
    official_package.load_package.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "meta_dataset"]:
        del sys.modules[name]
    if "color_jitter_strength" in flags.FLAGS:
        delattr(flags.FLAGS, "color_jitter_strength")


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
    """Check the invariants of every episode of the official reader on `root`."""
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
