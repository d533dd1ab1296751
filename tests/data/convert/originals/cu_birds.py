"""Synthetic CUB-200-2011 in the layout of its archive, one image per species."""

from pathlib import Path

from tests.tiny_pictures import save


def write(folder: Path) -> Path:
    """The first two species have three images."""
    names = [f"{number:03d}.Bird_{number}" for number in range(1, 201)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "classes.txt").write_text("".join(f"{n} {name}\n" for n, name in enumerate(names, 1)))
    for number, name in enumerate(names):
        for picture in range(3 if number < 2 else 1):
            save(folder / "images" / name / f"{name}_{picture:04d}.jpg", number)
    return folder
