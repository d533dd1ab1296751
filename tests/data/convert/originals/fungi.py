"""Synthetic FGVCx Fungi 2018 in the layout of its archives, one image per species."""

import json
from pathlib import Path

from tests.tiny_pictures import save


def write(folder: Path) -> Path:
    """Species 0 has an image in both lists."""
    categories = [{"id": number, "name": f"Fungus {number}"} for number in range(1394)]
    for name, numbers in {"train": range(1394), "val": [0]}.items():
        files = {n: f"images/{n}_Fungus {n}/{name}.JPG" for n in numbers}
        for number, file in files.items():
            save(folder / file, number)
        images = [{"id": 10 * number, "file_name": file} for number, file in files.items()]
        annotations = [{"id": n, "image_id": 10 * n, "category_id": n} for n in numbers]
        content = {"images": images, "annotations": annotations, "categories": categories}
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder
