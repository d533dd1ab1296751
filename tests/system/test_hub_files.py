"""Models by folder and by name: from the cache of huggingface-hub, without a network."""

from pathlib import Path

import pytest

from alfa_md.errors import UserError
from alfa_md.system.hub_files import hub_folder

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """A cache with one model, in the library's layout, and no network."""
    constants = pytest.importorskip("huggingface_hub.constants")
    repository = tmp_path / "models--owner--net"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return snapshot


def test_a_model_by_name_comes_from_the_cache(cache):
    assert hub_folder("hf:owner/net") == hub_folder(f"hf:owner/net@{COMMIT}") == hub_folder(str(cache)) == cache


@pytest.mark.parametrize(
    "name, line",
    [
        ("hf:owner/other", "^hf:owner/other: cannot be fetched .*; download it, and name its folder"),
        ("hf:net", "^hf:net: write hf:OWNER/NAME or hf:OWNER/NAME@REVISION"),
        ("hf:../../x", "^hf:../../x: write hf:OWNER/NAME"),
        ("nowhere", "^nowhere: has no config.json; name a folder that transformers' save_pretrained wrote"),
    ],
)
def test_models_that_are_not_there(cache, name, line):
    with pytest.raises(UserError, match=line):
        hub_folder(name)
