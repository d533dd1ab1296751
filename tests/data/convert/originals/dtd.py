"""Synthetic Describable Textures in the layout of their archive, two images per texture."""

from pathlib import Path

from tests.tiny_pictures import save


def write(folder: Path) -> Path:
    """One texture has the stray file of the archive."""
    for number in range(47):
        for picture in range(2):
            save(folder / "images" / f"texture{number:02d}" / f"texture_{picture:04d}.jpg", number)
    (folder / "images" / "texture45" / ".directory").write_text("[Dolphin]")
    return folder
