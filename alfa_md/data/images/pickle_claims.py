"""Sizes that a pickle claims, compared with its own before it is loaded.

The unpickler takes memory for the length of a text and for the number of a memo entry before it has seen either, so
that a file of some bytes can ask for gigabytes.
"""

import mmap
import pickletools
import struct
from pathlib import Path

from alfa_md.errors import UserError

OPCODES = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
FIXED = {code: 1 + (op.arg.n if op.arg else 0) for code, op in OPCODES.items() if not op.arg or op.arg.n >= 0}
LINES = {code: 2 if op.name in ("GLOBAL", "INST") else 1 for code, op in OPCODES.items() if op.arg and op.arg.n == -1}
# Opcodes with a length before their content.
LENGTHS = {
    code: struct.Struct({-2: "<B", -3: "<i", -4: "<I", -5: "<Q"}[op.arg.n])
    for code, op in OPCODES.items()
    if op.arg and op.arg.n < -1
}
PUT, LONG_BINPUT, FRAME, STOP = b"pr\x95."


def refuse_claims(data: bytes | mmap.mmap, where: Path | str) -> None:
    """Raises UserError for a length or a memo number beyond the size of the pickle; says nothing of other faults."""
    try:
        claimed = _largest_claim(data)
    except (struct.error, ValueError, IndexError):  # not a whole pickle, as the unpickler will find
        return
    if claimed > len(data):
        raise UserError(
            f"{where}: is not a whole pickle of plain data (it claims {claimed} bytes or entries and has {len(data)} "
            "bytes); download the file again"
        )


def _largest_claim(data: bytes | mmap.mmap) -> int:
    """The first claim beyond the size, 0 if there is none. Raises ValueError, IndexError or struct.error if cut off."""
    place, size = 0, len(data)
    while (code := data[place]) != STOP:
        claimed = 0
        if (length := FIXED.get(code)) is not None:
            if code == LONG_BINPUT:
                (claimed,) = struct.unpack_from("<I", data, place + 1)
            elif code == FRAME:
                (claimed,) = struct.unpack_from("<Q", data, place + 1)
            place += length
        elif code in LENGTHS:
            (claimed,) = LENGTHS[code].unpack_from(data, place + 1)
            if claimed < 0:
                raise ValueError("a negative length")
            place += 1 + LENGTHS[code].size + claimed
        else:
            start = place + 1
            for _ in range(LINES.get(code, 0)):
                place = data.find(b"\n", place + 1)
                if place < 0:
                    raise ValueError("a line without end")
            claimed = int(data[start:place]) if code == PUT else 0
            place += 1
        if claimed > size:
            return claimed
    return 0
