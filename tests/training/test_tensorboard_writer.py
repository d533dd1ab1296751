"""TensorBoard that cannot be written: one line, and the run goes on."""

import threading

import torch

from alfa_md.training.tensorboard_writer import TensorBoardWriter
from tests.tiny_disk import fill, tiny_disk


def test_a_full_disk_is_one_line(tmp_path, capfd):
    with tiny_disk(tmp_path / "disk", 64) as disk:
        writer = TensorBoardWriter(disk / "tensorboard", 0)
        writer.add_scalar("a", 1.0, 1)
        writer.flush()
        fill(disk)
        for step in range(3):
            writer.add_image("b", torch.rand(3, 64, 64), step)
            writer.flush()
        writer.close()
    out, err = capfd.readouterr()
    line = "tensorboard: cannot be written (No space left on device); the run goes on without TensorBoard\n"
    assert out == f"{tmp_path}/disk/{line}" and "Traceback" not in err


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path, capsys):
    (tmp_path / "tensorboard").write_bytes(b"")
    writer = TensorBoardWriter(tmp_path / "tensorboard", 0)
    writer.add_scalar("a", 1.0, 1)
    writer.close()
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "tensorboard: cannot be written (File exists); the run goes on" in out


def test_values_that_tensorboard_does_not_take_are_one_line(tmp_path, capsys):
    writer = TensorBoardWriter(tmp_path, 0)
    writer.add_histogram("a", torch.tensor([1e30]), 1)
    writer.add_scalar("b", 1.0, 1)
    writer.close()
    assert capsys.readouterr().out.count("the run goes on without TensorBoard\n") == 1


def test_no_thread_is_one_line(tmp_path, capsys, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    TensorBoardWriter(tmp_path, 0).close()
    assert "cannot be written (can't start new thread); the run goes on" in capsys.readouterr().out
