"""Hand-encoded protocol buffer messages, independent of the library that the package reads them with."""


def bytes_field(number: int, data: bytes) -> bytes:
    """Encoded field `number` (at most 15) of bytes, a string or a message."""
    return bytes([number << 3 | 2]) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """Encoded varint: groups of seven bits, lowest first; negative numbers as 64-bit two's complement."""
    value &= (1 << 64) - 1
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def entry(name: bytes, kind: int, *values: bytes) -> bytes:
    """An entry of Features: `kind` is 1 for a list of bytes, 2 of floats, 3 of integers; the last two are packed."""
    feature = bytes_field(kind, b"".join(bytes_field(1, value) for value in values))
    return bytes_field(1, bytes_field(1, name) + bytes_field(2, feature))


def example(*entries: bytes) -> bytes:
    """A tf.train.Example of these entries."""
    return bytes_field(1, b"".join(entries))
