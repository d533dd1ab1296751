"""TensorFlow checkpoints where one of ours is read: recognised by any of their names, with the command to convert."""

import pytest

from alfa_md.errors import UserError
from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.pretraining import resolve_checkpoint
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.interop.checkpoint_bridge import convert_checkpoint
from tests.entries.damage import official

ENDS = ("", ".index", ".data-00000-of-00001", ".meta")


@pytest.fixture
def folder(tmp_path):
    """A folder with spaces in its path, as a shell must quote it."""
    (tmp_path / "our runs").mkdir()
    official(tmp_path / "our runs")
    return tmp_path / "our runs" / "tf"


@pytest.mark.parametrize("name", ["", *(f"model_4.ckpt{end}" for end in ENDS)])
def test_each_name_is_answered_with_the_command(folder, name, tmp_path):
    path, whole = folder / name, folder / "model_4.ckpt"
    command = f"python -m alfa_md.convert checkpoint '--from={whole}' '--to={folder / 'model_4.pt'}'"
    message = f"{path} is a TensorFlow checkpoint; convert it and name the new file: {command}"
    for read in (load_checkpoint, lambda path: resolve_checkpoint(str(path), RunDirectory(tmp_path / "run"), None)):
        with pytest.raises(UserError) as caught:
            read(path)
        assert str(caught.value) == message


@pytest.mark.parametrize("name", ["", *(f"model_2.ckpt{end}" for end in ENDS[1:])])
def test_a_part_or_a_folder_to_convert_is_answered_with_the_whole(folder, name, tmp_path):
    with pytest.raises(UserError, match=f"--from={folder}/model_{2 if name else 4}.ckpt$"):
        convert_checkpoint(str(folder / name), str(tmp_path / "new.pt"))


def test_what_has_no_index_is_no_checkpoint_of_tensorflow(tmp_path):
    (tmp_path / "model_4.ckpt.data-00000-of-00001").write_bytes(b"")
    for name in ("", "model_4.ckpt", "model_4.ckpt.data-00000-of-00001"):
        with pytest.raises(UserError) as caught:
            load_checkpoint(tmp_path / name)
        assert "TensorFlow" not in str(caught.value)
