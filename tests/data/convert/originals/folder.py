"""Synthetic own images in several formats, with a bi-level csv."""

from pathlib import Path

from tests.tiny_pictures import save


def write(folder: Path) -> Path:
    """Six classes; two training classes share a superclass."""
    rows = [
        "ant,train,animal",
        "oak,test,plant",
        "bee,train,animal",
        "car,valid,machine",
        "elm,test,plant",
        "jet,valid,machine",
    ]
    for number, row in enumerate(rows):
        for picture, ending in enumerate(("jpg", "png", "bmp")):
            save(folder / row.partition(",")[0] / f"{picture}.{ending}", number)
    (folder / "splits.csv").write_text("\n".join(["class,split,superclass", *rows]))
    return folder
