"""Safe unpickling: plain data is read back, and no code is executed."""

import codecs
import os
import pickle
from collections import OrderedDict, defaultdict

import numpy as np
import pytest

from alfa_md.data.images.unpickling import parse_pickle, read_pickle
from alfa_md.errors import UserError
from tests.data.images.archives import python2_pickle

ARRAYS = {
    "bytes": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
    "big endian": np.arange(6, dtype=">i4"),
    "column major": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "moved axes": np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1),
    "strided": np.arange(10)[::2],
    "truth": np.array([True, False]),
    "texts": np.array(["a", "bcd"]),
    "byte strings": np.array([b"a", b"\xff\x00b"]),
    "empty": np.zeros((0, 3), np.float32),
    "no axis": np.array(3.5),
}


class Call:
    """Pickles as a call of a function, then a state for what it returned."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


def reconstruct(*state):
    """The pickle of an array as NumPy writes it, with a state of our own."""
    return pickle.dumps(Call(np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), state))


@pytest.mark.parametrize("write", [python2_pickle, *(lambda value, p=p: pickle.dumps(value, p) for p in range(6))])
def test_containers(write):
    value = {"names": ["a", ("b", 2.5, None)], "more": OrderedDict(x=1), "lists": defaultdict(list, y=[3])}
    assert parse_pickle(write(value), "a file") == value


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("write", [python2_pickle, *(lambda value, p=p: pickle.dumps(value, p) for p in (2, 4, 5))])
def test_arrays(name, write):
    expected = ARRAYS[name]
    array = np.asarray(parse_pickle(write(expected), "a file"))
    assert array.dtype.newbyteorder("=") == expected.dtype.newbyteorder("=")  # NumPy may swap bytes as it reads
    assert array.shape == expected.shape
    assert np.array_equal(array, expected)


def test_arrays_of_objects_and_single_numbers():
    value = [np.array([b"png", np.arange(3), None], dtype=object), np.float32(1.5), np.int64(7)]
    for data in (python2_pickle(value), pickle.dumps(value)):
        objects, *numbers = parse_pickle(data, "a file")
        assert numbers == [1.5, 7]
        assert objects[2] is None and list(objects[1]) == [0, 1, 2]


@pytest.mark.parametrize("function", [os.system, eval, getattr, np.load, open])
def test_nothing_is_run(function, tmp_path):
    proof = tmp_path / "proof"
    arguments = {os.system: (f"touch {proof}",), open: (str(proof), "w")}
    call = Call(function, arguments.get(function, (f"open({str(proof)!r}, 'w')",)))
    file = tmp_path / "hostile.pkl"
    for value in (call, {"image_data": [call]}, np.array([call], dtype=object)):
        file.write_bytes(pickle.dumps(value))
        with pytest.raises(UserError, match=rf"hostile\.pkl: asks for \w+\.{function.__name__}, .* trust"):
            read_pickle(file)
    assert not proof.exists()


def test_the_fixture_would_have_run(tmp_path):
    proof = tmp_path / "proof"
    pickle.loads(pickle.dumps(Call(os.system, (f"touch {proof}",))))
    assert proof.exists()


def test_dotted_names_are_refused():
    with pytest.raises(UserError, match="dtype.__init__"):
        parse_pickle(b"\x80\x04\x8c\x05numpy\x8c\x0edtype.__init__\x93.", "a file")


IMPOSSIBLE = {
    "record with a pointer": pickle.dumps(np.zeros(2, [("a", "O")])),
    "state of a function": b"cnumpy\ndtype\n}b.",
    "too few bytes": reconstruct(1, (3,), np.dtype("u1"), False, b"ab"),
    "product beyond 64 bits": reconstruct(1, (2**32, 2**32), np.dtype("u1"), False, b""),
    "negative size": reconstruct(1, (-1, -2), np.dtype("u1"), False, b"ab"),
    "bytes for objects": reconstruct(1, (1,), np.dtype("O"), False, b"abcdefgh"),
    "entries of no size": reconstruct(1, (2**62,), np.dtype("S"), False, b""),
    "no data type": reconstruct(1, (1,), "u1", False, b"a"),
    "persistent object": b"Pname\n.",
    "another encoding": pickle.dumps(Call(codecs.encode, ("text", "rot13"))),
    "trailing cut": pickle.dumps([1])[:-1],
    "text": b"this is no pickle",
    "nothing": b"",
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_content_is_one_line(name):
    with pytest.raises(UserError, match=r"^a file: is not a whole pickle of plain data \(\w+\); download"):
        parse_pickle(IMPOSSIBLE[name], "a file")


def test_an_array_is_filled_once():
    array = reconstruct(1, (2,), np.dtype("u1"), False, b"ab")
    again = array[: array.rindex(b".")] + array[array.rindex(b"(") : -2] + b"tb."
    with pytest.raises(UserError, match="not a whole pickle"):
        parse_pickle(again, "a file")


def test_every_truncation_is_one_line(tmp_path):
    data = python2_pickle({"image_data": ARRAYS["bytes"], "class_dict": {"a": [0, 1]}})
    file = tmp_path / "cut.pkl"
    for length in range(len(data)):
        file.write_bytes(data[:length])
        with pytest.raises(UserError, match="cut.pkl: is not a whole pickle"):
            read_pickle(file)


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_pickle(tmp_path)
