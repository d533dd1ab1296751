"""Small checkpoint files that claim great sizes: refused in one line before memory is taken."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
import torch

from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.torch_archive import DamagedCheckpoint
from tests.experiment.test_checkpoint import trained_state


def repacked(path: Path, compression: int, **parts: int) -> None:
    """Writes a checkpoint anew, with this compression; `parts` are added, of so many zeros."""
    with ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    top = next(iter(content)).split("/")[0]
    with ZipFile(path, "w", compression) as archive:
        for name, data in (content | {f"{top}/{name}": bytes(size) for name, size in parts.items()}).items():
            archive.writestr(name, data)


def test_a_compressed_checkpoint_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    """A part of 64 MB of zeros is a file of some KB."""
    path = tmp_path / "best.pt"
    trained_state().save(path)
    whole = load_checkpoint(path)
    repacked(path, ZIP_STORED)
    assert torch.equal(load_checkpoint(path)["rng"], whole["rng"])
    repacked(path, ZIP_DEFLATED, more=2**26)
    assert path.stat().st_size < 2**18
    monkeypatch.setattr(ZipFile, "open", lambda *_, **__: pytest.fail("a part is unpacked"))
    with pytest.raises(DamagedCheckpoint, match="best.pt is compressed, or claims more than its .* bytes, which torch"):
        load_checkpoint(path)


def test_a_checkpoint_whose_parts_claim_more_than_the_file_is_refused(tmp_path):
    """The directory at the end of the file claims 2 GB for one part."""
    path = tmp_path / "best.pt"
    trained_state().save(path)
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(DamagedCheckpoint, match="claims more than its"):
        load_checkpoint(path)


@pytest.mark.parametrize("place", ["learner", "optimizer"])
def test_a_tensor_that_claims_a_great_shape_is_refused(tmp_path, place):
    """One value, repeated by strides of 0, as no memory could hold it."""
    path = tmp_path / "last.pt"
    trained_state().save(path)
    content = load_checkpoint(path)
    great = torch.zeros(1, dtype=torch.float64).expand(2**20, 2**20)
    if place == "learner":
        content["learner"][next(iter(content["learner"]))] = great
    else:
        content["optimizer"]["state"][0]["exp_avg"] = great
    torch.save(content, path)
    with pytest.raises(DamagedCheckpoint, match=r"claims a tensor of \[1048576, 1048576\], 8796093022208 bytes"):
        trained_state(0).restore(path)
