"""Synthetic ILSVRC-2012 in the layout of its archives, one or two images per class, with a synthetic WordNet."""

from pathlib import Path

from alfa_md.data.convert.ilsvrc_2012 import CARNIVORE, DEVICE, DUPLICATES
from tests.tiny_pictures import save


def write(folder: Path) -> Path:
    """158 carnivores, 130 devices and 712 others in pairs under nodes of two; every tenth class has a duplicate."""
    links = [("n00000001", CARNIVORE), ("n00000001", DEVICE), ("n00000001", "n00000002"), ("n00000002", "n00000003")]
    duplicates = []
    for number in range(1000):
        root = CARNIVORE if number < 158 else DEVICE if number < 288 else "n00000003"
        name, pair = f"n1{number:07d}", f"n2{number // 2:07d}"
        links += [(root, pair), (pair, name)]
        save(folder / name / f"{name}_1.JPEG", number)
        if number % 10 == 0:
            save(folder / name / f"{name}_2.JPEG", number)
            duplicates.append(f"{name}/{name}_2.JPEG  # elsewhere.jpg")
    (folder / "wordnet.is_a.txt").write_text("".join(f"{parent} {child}\n" for parent, child in dict.fromkeys(links)))
    words = sorted({node for link in links for node in link})
    (folder / "words.txt").write_text("".join(f"{node}\tword of {node}\n" for node in words))
    for part, file in enumerate(DUPLICATES):
        (folder / file).write_text("\n".join(["# a comment", *duplicates[part::3]]))
    return folder
