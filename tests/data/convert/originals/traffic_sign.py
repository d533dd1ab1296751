"""Synthetic GTSRB in the layout of its archive, six frames per sign."""

from pathlib import Path

from tests.tiny_pictures import save


def write(folder: Path) -> Path:
    """The colour of a frame encodes its number in the video."""
    for sign in range(43):
        images = folder / "Final_Training" / "Images" / f"{sign:05d}"
        for frame in range(6):
            save(images / f"00000_{frame:05d}.ppm", frame)
        (images / f"GT-{sign:05d}.csv").write_text("Filename;Width;Height\n")
    return folder
