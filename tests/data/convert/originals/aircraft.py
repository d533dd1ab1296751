"""Synthetic FGVC-Aircraft in the layout of its archive, two images per variant."""

from pathlib import Path

from tests.tiny_pictures import save


def write(folder: Path) -> Path:
    """One image of each variant is in each list; all boxes crop one pixel on each side."""
    data = folder / "data"
    names = [f"Type {number}/A-{number:03d}" for number in range(100)]
    pictures = {f"{1000 + 7 * n % 200:07d}": names[n // 2] for n in range(200)}
    for number, picture in enumerate(pictures):
        save(data / "images" / f"{picture}.jpg", number)
    (data / "variants.txt").write_text("".join(f"{name}\n" for name in names))
    (data / "images_box.txt").write_text("".join(f"{picture} 1 1 7 5\n" for picture in pictures))
    lines = [f"{picture} {name}\n" for picture, name in pictures.items()]
    (data / "images_variant_trainval.txt").write_text("".join(lines[::2]))
    (data / "images_variant_test.txt").write_text("".join(lines[1::2]))
    return folder
