"""Completeness of the scans of a progressive JPEG.

Libjpeg smooths blocks whose coefficients are not all known; releases differ in how, so that such an image has other
pixels in TensorFlow.
"""

from alfa_md.data.tfrecord.jpeg_segments import START_OF_SCAN, segments

SMOOTHED = range(10)  # coefficients in zigzag order that libjpeg looks at


def has_all_scans(jpeg: bytes, channels: int) -> bool:
    """True if the first coefficients of every channel of a progressive JPEG are stated to their last bit."""
    known = set()
    for marker, start, end in segments(jpeg):
        if marker == START_OF_SCAN:
            names, (first, last, bits) = jpeg[start + 3 : end - 3 : 2], jpeg[end - 3 : end]
            if bits & 15 == 0:  # the bits that are left for later scans
                known |= {(name, place) for name in names for place in SMOOTHED if first <= place <= last}
    return len(known) >= channels * len(SMOOTHED)
