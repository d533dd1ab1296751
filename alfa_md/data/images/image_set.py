"""ImageSet: interface to the classes and images of one split, independent of how a data set is stored."""

from collections.abc import Mapping
from typing import Protocol

from PIL import Image


class ImageSet(Protocol):
    """One split of a data set.

    A module `alfa_md/data/images/<name>.py` is the data set `<name>`: its `open_split(folder, split)` returns the
    ImageSet of a split ("train", "valid" or "test") below `folder`, and its `TRANSFORM` is the default image
    transform. The optional `ROTATED` names the splits in which an episode rotates each class by a random multiple of 90
    degrees. `open_split` raises MissingSource if the data is missing, and MissingSplit if the split has no class. Any
    other name is the user's own data (module `folder`).
    """

    class_names: tuple[str, ...]  # in sorted order
    images_per_class: tuple[int, ...]

    def image(self, class_id: int, number: int) -> Image.Image:
        """Stored image `number` of a class, of mode 1, L or RGB; thread-safe.

        Raises UserError naming the file, class and number if it is corrupt.
        """

    def stamp(self) -> dict:
        """Description of the data set for result files: its `layout` and its `build`, by counts or checksum."""

    def digests(self) -> Mapping[str, str]:
        """Digests of the files by class or file name (see `data.file_digests`); {} if there are none."""
        return {}
