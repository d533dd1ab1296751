"""Recognition of the published build of a data set by the numbers of classes and images of a split."""

from collections.abc import Mapping, Sequence

Counts = Mapping[str, tuple[int, int]]  # split -> (classes, images)


def recognise_build(known: Mapping[str, Counts], split: str, images_per_class: Sequence[int]) -> str:
    """The title of the build in `known` with these numbers in `split`, else "unrecognised: ..."."""
    found = (len(images_per_class), sum(images_per_class))
    for title, counts in known.items():
        if counts.get(split) == found:
            return title
    return f"unrecognised: {found[0]} {split} classes, {found[1]} images"


def equal_classes(images: int, **classes: int) -> Counts:
    """Counts of a build with the same number of images in every class, given its classes by split."""
    return {split: (number, number * images) for split, number in classes.items()}
