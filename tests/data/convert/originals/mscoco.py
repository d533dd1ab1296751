"""Synthetic MSCOCO in the layout of its archives: three images, two objects per category."""

import json
from pathlib import Path

from tests.tiny_pictures import save


def write(folder: Path) -> Path:
    """Category ids have gaps, as the real ones; one box is outside of its image."""
    names = [f"{number:012d}.jpg" for number in range(3)]
    for number, name in enumerate(names):
        save(folder / "train2017" / name, number, size=(60, 40))
    categories = [{"id": 2 * number + 1, "name": f"object {number}"} for number in range(80)]
    boxes = [(n % 3, 2 * (n % 80) + 1, [10.0, 10.0, 20.5, 10.0]) for n in range(160)]
    boxes[5] = (*boxes[5][:2], [200.0, 10.0, 20.0, 10.0])
    annotations = [{"image_id": image, "category_id": category, "bbox": box} for image, category, box in boxes]
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations").mkdir()
    (folder / "annotations" / "instances_train2017.json").write_text(json.dumps(content))
    return folder
