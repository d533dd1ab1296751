"""The page of predictions: one self-contained HTML file with the pictures, their classes and probabilities."""

import base64
import io
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image

from alfa_md.data.image_modes import read_image
from alfa_md.errors import escape_controls
from alfa_md.prediction.predictions import Prediction, Predictions
from alfa_md.reporting.elements import PAGES
from alfa_md.reporting.style import STYLE

MAX_PICTURES = 300  # on the page, at some 5 kB each
SIDE = 128  # pixels of a thumbnail, at most
NUM_CLASSES = 3  # named below a picture


class Card(NamedTuple):
    """A picture on the page: its file, a thumbnail as base64 of a JPEG, and the most probable classes."""

    file: str
    thumbnail: str
    classes: Sequence[tuple[str, float]]  # name and probability, most probable first


def make_card(prediction: Prediction, predictions: Predictions) -> Card:
    """The card of a prediction. Raises UnreadableImage if its file has changed and cannot be read."""
    pairs = zip(map(plain, predictions.classes), prediction.probabilities, strict=True)
    ranked = sorted(pairs, key=lambda pair: -pair[1])[:NUM_CLASSES]
    return Card(plain(prediction.file), thumbnail(read_image(predictions.folder / prediction.file)), ranked)


def plain(name: str) -> str:
    """A name with its control characters, and bytes that are no UTF-8, as escape sequences."""
    return escape_controls(name.encode("utf-8", "backslashreplace").decode())


def thumbnail(picture: Image.Image) -> str:
    """The base64 of a JPEG of at most SIDE x SIDE pixels."""
    small, file = picture.convert("RGB"), io.BytesIO()
    small.thumbnail((SIDE, SIDE))
    small.save(file, "JPEG", quality=80)
    return base64.b64encode(file.getvalue()).decode()


def render_page(
    predictions: Predictions, cards: Sequence[Card], title: str, summary: Sequence[str], csv_name: str
) -> str:
    """The page as HTML without external resources; `cards` are the first of the pictures, at most MAX_PICTURES."""
    pictures = predictions.support.pictures
    return PAGES.get_template("predictions.html").render(
        title=title,
        style=STYLE,
        summary=summary,
        classes=list(zip(map(plain, pictures.classes), pictures.shots, strict=True)),
        cards=cards,
        number=len(predictions) - len(predictions.unreadable),
        csv_name=plain(csv_name),
    )
