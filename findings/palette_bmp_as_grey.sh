#!/usr/bin/env bash
# tensorflow-cpu 2.21.0: an 8-bit BMP is decoded to its palette indices, whatever colours the palette has.
#
# Natural guess: `tf.io.decode_image(data, channels=3)` gives the colours of a BMP with a palette, as it does for a PNG
# with a palette and as Pillow does for both.
# Seen: the indices come back as grey levels, without a word; a picture of a red field at index 0 is black. Meta-Dataset
# decodes its records with this function. Photographs exported as 256-colour BMP become noise.
#
# Output seen:
#   Pillow: PNG [255, 0, 0], BMP [255, 0, 0]
#   TensorFlow: PNG [255, 0, 0], BMP [0, 0, 0]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet tensorflow-cpu==2.21.0 pillow
cd "$work"
TF_CPP_MIN_LOG_LEVEL=3 "$work/venv/bin/python" - 2> /dev/null <<'PY'
import io

import tensorflow as tf
from PIL import Image

assert tf.__version__ == "2.21.0", tf.__version__
image = Image.new("P", (4, 4), 0)
image.putpalette([255, 0, 0, 0, 255, 0] + [0, 0, 0] * 254)
pixels = {}
for kind in ("PNG", "BMP"):
    buffer = io.BytesIO()
    image.save(buffer, kind)
    data = buffer.getvalue()
    pixels["Pillow", kind] = list(Image.open(io.BytesIO(data)).convert("RGB").getpixel((0, 0)))
    decoded = tf.io.decode_image(data, channels=3, expand_animations=False)
    pixels["TensorFlow", kind] = decoded.numpy()[0, 0].tolist()
for library in ("Pillow", "TensorFlow"):
    print(f"{library}: PNG {pixels[library, 'PNG']}, BMP {pixels[library, 'BMP']}")
assert pixels["TensorFlow", "PNG"] == pixels["Pillow", "BMP"] == [255, 0, 0], "the behaviour has changed"
assert pixels["TensorFlow", "BMP"] == [0, 0, 0], "the behaviour has changed"
PY
