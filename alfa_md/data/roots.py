"""Data roots of a run: a records root (the user's or the embedded miniature), a folder of images, or none."""

import os
from pathlib import Path
from typing import NamedTuple

import gin

from alfa_md.data.miniature import holds_miniature, miniature_root
from alfa_md.data.prepared import FOLDER, prepared_sources
from alfa_md.data.spec import missing_spec
from alfa_md.errors import UserError
from alfa_md.system.user_path import user_path

RECORDS_VARIABLE = "META_DATASET_RECORDS"
IMAGES_VARIABLE = "ALFA_MD_IMAGES"


class Root(NamedTuple):
    """The data root of a run, which has one folder per source, and its kind."""

    path: Path
    kind: str  # "records", "miniature", "images" or "generated"


@gin.configurable
def records_root(flag: str | None, recorded: dict | None) -> Root:
    """The records root of the flag, else the environment variable, else the earlier run, else the miniature.

    It has folders of records, or `meta_dataset/` with sources prepared by the TFDS builder, or both. A folder with a
    source of the miniature is of the kind "miniature", too, whoever names it.
    `recorded` has the `data_root` and `data_kind` of an earlier run; None for a new run.
    Raises UserError if the folder is missing or has no source.
    """
    given = _given(flag, RECORDS_VARIABLE, recorded, "records")
    if not given:
        return Root(miniature_root(), "miniature")
    remedy = f"set --records_root_dir or {RECORDS_VARIABLE} to the folder that holds ilsvrc_2012/, omniglot/, ..."
    path = _folder(given, "records root", remedy)
    if not any(path.glob("*/dataset_spec.json")) and not prepared_sources(path):
        if legacy := sorted(path.glob("*/dataset_spec.pkl")):
            raise UserError(missing_spec(legacy[0].parent))
        if path.name == FOLDER and prepared_sources(path.parent):
            raise UserError(f"records root {path} is the folder of a TFDS builder; give the one that it is in")
        raise UserError(f"records root {path} holds no */dataset_spec.json; {remedy}")
    return Root(path, "miniature" if holds_miniature(path) else "records")


@gin.configurable
def images_root(flag: str | None, recorded: dict | None) -> Root:
    """The folder of image data sets of the flag, else the environment variable, else the earlier run.

    Raises UserError if none is given or it does not exist.
    """
    remedy = f"set --records_root_dir or {IMAGES_VARIABLE} to the folder that holds mini_imagenet/, cub/, ..."
    given = _given(flag, IMAGES_VARIABLE, recorded, "images")
    if not given:
        raise UserError(f"this configuration reads images, and no folder is given; {remedy}")
    return Root(_folder(given, "images root", remedy), "images")


@gin.configurable
def no_root(flag: str | None, recorded: dict | None) -> Root:
    """The root of generated data; no folder is used, whatever the flag and the earlier run say."""
    return Root(Path("generated"), "generated")


def announcement(root: Root) -> str:
    """The line about its data that a run prints at its start."""
    if root.kind == "miniature":
        return (
            "EMBEDDED MINIATURE DATA: drawn by this package, NOT Meta-Dataset. Its accuracies compare with no "
            f"published number. Give --records_root_dir or {RECORDS_VARIABLE} for real records."
        )
    return {
        "records": f"Records: {root.path}",
        "images": f"Images: {root.path}",
        "generated": "Generated data: nothing is read from disk.",
    }[root.kind]


def _given(flag: str | None, variable: str, recorded: dict | None, kind: str) -> str | None:
    """The flag, else the environment variable, else the root of an earlier run on data of this kind."""
    given = flag or os.environ.get(variable)
    if not given and recorded and recorded["data_kind"] == kind:
        given = recorded["data_root"]
    return given


def _folder(given: str, what: str, remedy: str) -> Path:
    path = user_path(given)
    path = path.resolve() if ".." in path.parts else path.absolute()  # links stay: what they lead to may move
    if not path.is_dir():
        raise UserError(f"{what} {path} does not exist; {remedy}")
    return path
