"""BMP decoding with the pixels of TensorFlow, which ignores palettes and compression."""

import struct

import numpy as np


def decode_bmp(bmp: bytes, pixels: np.ndarray) -> None:
    """Decode into `pixels` [H, W, 3] uint8; values of 8 bits are taken for grey levels, whatever the palette.

    Raises ValueError if pixels have not 8, 24 or 32 bits, or the length of the file is another; struct.error if the
    header is cut off.
    """
    height, width, _ = pixels.shape
    (start,) = struct.unpack_from("<i", bmp, 10)
    stored_height, _, bits = struct.unpack_from("<ihh", bmp, 22)
    channels = bits // 8
    row = (channels * width + 3) // 4 * 4  # bytes
    if channels not in (1, 3, 4) or abs(stored_height) != height or start < 0 or len(bmp) != start + height * row:
        raise ValueError(f"{bits} bits, {len(bmp)} bytes")
    rows = np.frombuffer(bmp, np.uint8, height * row, start).reshape(height, row)[:, : channels * width]
    top_down = rows if stored_height < 0 else rows[::-1]
    pixels[...] = top_down.reshape(height, width, channels)[..., 2::-1]  # from blue, green, red; or one level
