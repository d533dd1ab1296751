"""ImageSet: the classes and images of one split, however a data set is stored."""

from typing import Protocol

from PIL import Image


class ImageSet(Protocol):
    """One split of a data set.

    A module `alfa_md/data/images/<name>.py` is the data set `<name>`: its `open_split(folder, split)` gives the
    ImageSet of a split ("train", "valid" or "test") below `folder`, and its `TRANSFORM` is how images are read unless
    a configuration says otherwise. `ROTATED`, if it has one, names the splits whose classes an episode turns by random
    multiples of 90 degrees. `open_split` raises MissingSource where the data is not there, and MissingSplit where the
    split has no class. Any other name is the user's own data (module `folder`).
    """

    class_names: tuple[str, ...]  # in sorted order
    images_per_class: tuple[int, ...]

    def image(self, class_id: int, number: int) -> Image.Image:
        """Image `number` of a class as stored, of mode 1, L or RGB; may be called from several threads at once.

        Raises UserError naming the file, class and number where it is corrupt.
        """

    def stamp(self) -> dict:
        """What was opened, as plain values: `layout`, and `build`, recognised by counts or a checksum."""
