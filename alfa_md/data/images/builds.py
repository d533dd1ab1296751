"""Which published build of a data set a split is of, told by its numbers of classes and images."""

from collections.abc import Mapping, Sequence

Counts = Mapping[str, tuple[int, int]]  # split -> (classes, images)


def recognise_build(known: Mapping[str, Counts], split: str, images_per_class: Sequence[int]) -> str:
    """The title of the build in `known` that has these numbers in `split`, else "unrecognised: ..."."""
    found = (len(images_per_class), sum(images_per_class))
    for title, counts in known.items():
        if counts.get(split) == found:
            return title
    return f"unrecognised: {found[0]} {split} classes, {found[1]} images"


def equal_classes(images: int, **classes: int) -> Counts:
    """The counts of a build whose classes all have the same number of images; classes by split."""
    return {split: (number, number * images) for split, number in classes.items()}
