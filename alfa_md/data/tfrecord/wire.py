"""Protocol buffer wire format: the subset that tf.train.Example uses.

A message is a sequence of fields; a field is a key (number * 8 + wire type, a varint) and a value. Malformed input
raises ValueError or IndexError; the caller reports the file.
"""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types


def bytes_field(number: int, data: bytes) -> bytes:
    """Encoded field `number` (at most 15) of bytes, a string or a message."""
    return bytes([number << 3 | BYTES]) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """Encoded varint: groups of seven bits, lowest first; negative numbers as 64-bit two's complement."""
    value &= (1 << 64) - 1
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def fields(message: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """(number, wire type, value) of each field; the value is an int for a varint, else its bytes."""
    position, end = 0, len(message)
    while position < end:
        key, position = _read_varint(message, position)
        kind = key & 7
        if kind == VARINT:
            value, position = _read_varint(message, position)
        else:
            size, start = _read_varint(message, position) if kind == BYTES else (_fixed_size(kind), position)
            position = start + size
            value = message[start:position]
        if position > end:
            raise ValueError("a field is longer than its message")
        yield key >> 3, kind, value


def submessages(message: memoryview, number: int) -> list[memoryview]:
    """Values of the fields `number` of bytes, string or message type."""
    return [value for found, kind, value in fields(message) if found == number and kind == BYTES]


def integers(message: memoryview, number: int) -> list[int]:
    """Values of the repeated int64 field `number`, packed or not."""
    values = []
    for found, kind, value in fields(message):
        if found == number and kind == VARINT:
            values.append(value)
        elif found == number and kind == BYTES:
            values.extend(_packed(value))
    return [value - (1 << 64) if value >> 63 else value for value in values]


def _packed(data: memoryview) -> Iterator[int]:
    position = 0
    while position < len(data):
        value, position = _read_varint(data, position)
        yield value


def _fixed_size(kind: int) -> int:
    if kind in (FIXED64, FIXED32):
        return 8 if kind == FIXED64 else 4
    raise ValueError(f"wire type {kind}")


def _read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """(value, next position) of the varint at `position`, which has at most ten bytes."""
    value = data[position]
    if value < 0x80:
        return value, position + 1
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, position
    raise ValueError("a varint of more than ten bytes")
