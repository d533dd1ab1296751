"""Reader of the IDX format of MNIST: arrays of bytes behind a header of their shape, compressed by gzip or not.

Header: two zero bytes, the type (8 for bytes), the number of dimensions, then every dimension as a big-endian uint32.
Reference: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", 1998.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from alfa_md.errors import UserError

BYTES = 8  # type of the values
LIMIT = 250_000_000  # bytes; the largest file of MNIST has 47 million
REMEDY = "download the file again"


def read_idx(path: Path, num_dimensions: int) -> np.ndarray:
    """The array of a file, uint8 of `num_dimensions` dimensions.

    Raises UserError naming the file if it cannot be read, has another form, or not as many bytes as its header claims.
    """
    head = struct.Struct(f">4B{num_dimensions}I")
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            start = file.read(head.size)
            *kind, found = start[:4].ljust(4, b"\0")
            if kind != [0, 0, BYTES] or found != num_dimensions or len(start) < head.size:
                raise UserError(f"{path}: is no IDX file of bytes in {num_dimensions} dimensions; {REMEDY}")
            shape = head.unpack(start)[4:]
            size = math.prod(shape)
            content = file.read(min(size, LIMIT) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: cannot be read ({error}); {REMEDY}") from error
    if len(content) != size:
        amount = f"{len(content)} bytes" if len(content) < size else "more"
        raise UserError(f"{path}: claims {' x '.join(map(str, shape))} values, but has {amount}; {REMEDY}")
    return np.frombuffer(content, np.uint8).reshape(shape)
