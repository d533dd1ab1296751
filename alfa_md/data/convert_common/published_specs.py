"""Hashes of the published Meta-Dataset specifications, to verify conversions."""

import json
from hashlib import sha256
from typing import NamedTuple

from alfa_md.data.spec import DatasetSpec


class SpecHashes(NamedTuple):
    """First 16 hex digits of SHA-256 of the class names joined by newlines and of the compact JSON list of counts."""

    names: str
    counts: str
    num_images: int


PUBLISHED_SPECS = {
    "ilsvrc_2012": SpecHashes("febfebd3d704c9f9", "2f39570943f3497e", 1280764),
    "ilsvrc_2012_v2": SpecHashes("385e0240499426c0", "09826f5a414132c5", 1280764),
    "omniglot": SpecHashes("3037aac8a248d20d", "0fe23854b391ae56", 32460),
    "aircraft": SpecHashes("c85e36af637ee4fe", "7b8497f18f4e7c39", 10000),
    "cu_birds": SpecHashes("237e82c90be65d3e", "a537ebbc849a0278", 11788),
    "dtd": SpecHashes("c1d24c6f0c953636", "92dfa65e67c5211f", 5640),
    "quickdraw": SpecHashes("646e6fa04ce2152a", "727b69a12868b1c7", 50426266),
    "fungi": SpecHashes("3f9aa486fafea5f5", "0351dc60b949c871", 89760),
    "vgg_flower": SpecHashes("9e75d01df8470464", "ee12760158f2afc8", 8189),
    "traffic_sign": SpecHashes("0ca116975df9ed0c", "306645833b44b27d", 39209),
    "mscoco": SpecHashes("232d1c803bbaf509", "ad389e7bc7e92be0", 860001),
}


def names_hash(spec: DatasetSpec) -> str:
    return _short("\n".join(spec.class_names))


def counts_hash(spec: DatasetSpec) -> str:
    return _short(json.dumps(list(spec.images_per_class), separators=(",", ":")))


def published_summary(spec: DatasetSpec) -> str:
    """One line: numbers of classes and images, and whether names and counts match the published specification."""
    images = f"{len(spec.class_names)} classes, {sum(spec.images_per_class)} images"
    if spec.name not in PUBLISHED_SPECS:
        return f"{images}; there is no published specification of {spec.name} to compare with"
    published = PUBLISHED_SPECS[spec.name]
    names = "as published" if names_hash(spec) == published.names else "NOT those published"
    counts = (
        "as published" if counts_hash(spec) == published.counts else f"not those published ({published.num_images})"
    )
    return f"{images}; class names {names}, image counts {counts}"


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
