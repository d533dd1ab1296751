"""Folders of models in the format of Hugging Face: on this disk, or `hf:OWNER/NAME` by way of its cache."""

import re
from pathlib import Path

from alfa_md.errors import UserError
from alfa_md.system.extras import require_huggingface_hub
from alfa_md.system.library_faults import refused
from alfa_md.system.user_path import user_path

PREFIX = "hf:"
NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
CONFIG, PREPROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
INDEX = f"{WEIGHTS}.index.json"
PATTERNS = [CONFIG, PREPROCESSOR, INDEX, "model*.safetensors"]  # no pickles, no code


def is_on_hub(name: str) -> bool:
    """True for `hf:OWNER/NAME`."""
    return name.startswith(PREFIX)


def hub_folder(name: str) -> Path:
    """The folder of a model: a path, or `hf:OWNER/NAME`, with `@REVISION` for a commit, downloaded once to the cache.

    Raises UserError if there is no such folder, or the model is neither in the cache nor can be downloaded.
    """
    if not is_on_hub(name):
        folder = user_path(name)
        if not (folder / CONFIG).is_file():
            raise UserError(f"{folder}: has no {CONFIG}; name a folder that transformers' save_pretrained wrote")
        return folder
    repository, _, revision = name.removeprefix(PREFIX).partition("@")
    if not NAME.fullmatch(name.removeprefix(PREFIX)):
        raise UserError(f"{name}: write hf:OWNER/NAME or hf:OWNER/NAME@REVISION")
    library = require_huggingface_hub()
    with refused(f"{name}: cannot be fetched", "download it, and name its folder"):
        found = library.snapshot_download(repository, revision=revision or None, allow_patterns=PATTERNS)
    return hub_folder(found)
