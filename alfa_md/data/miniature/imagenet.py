"""Miniature of ImageNet: invented synsets, one graph per split, similar classes below the same node."""

from collections.abc import Mapping

from alfa_md.data.miniature import textures
from alfa_md.data.miniature.aircraft import Aircraft
from alfa_md.data.miniature.birds import Bird
from alfa_md.data.miniature.flowers import Flower
from alfa_md.data.miniature.fungi import Fungus
from alfa_md.data.miniature.objects import Object
from alfa_md.data.miniature.photo import Drawable
from alfa_md.data.miniature.shapes import Shape
from alfa_md.data.miniature.strokes import write_alphabet
from alfa_md.data.miniature.textures import Texture
from alfa_md.data.sampling import stable_rng
from alfa_md.data.spec import Node

STRIPES, SPOTS = Texture(textures.banded, 5.0), Texture(textures.dotted, 5.0)
CHECKS, MESH = Texture(textures.chequered, 5.0), Texture(textures.crosshatched, 6.0)

# split -> family -> genus -> leaf: the tree; CROSSINGS adds a second parent to some leaves.
Tree = Mapping[str, Mapping[str, Mapping[str, Drawable]]]


def letters(script: str, bulges: tuple[float, ...]) -> dict[str, Drawable]:
    """Three letters of an invented script."""
    glyphs = write_alphabet(stable_rng("miniature", "script", script), 3, bulges)
    return {f"{rank} {script}": glyph for rank, glyph in zip(("first", "middle", "last"), glyphs, strict=True)}


TRAIN: Tree = {
    "blossom": {
        "simple blossom": {
            "quatrefoil": Flower(4, "round", breadth=0.8, centre=0.26),
            "cinquefoil": Flower(5, "pointed", breadth=0.9),
            "sevenfoil": Flower(7, "round", breadth=0.7, centre=0.16),
        },
        "composite blossom": {
            "marguerite": Flower(10, "spoon", centre=0.34),
            "double star": Flower(6, "pointed", rings=2, centre=0.14),
            "tasselled blossom": Flower(9, "notched", breadth=0.7, centre=0.12, rays=9),
        },
    },
    "fowl": {
        "perching fowl": {
            "finch": Bird("stout", "short", plump=0.4),
            "barred cuckoo": Bird("stout", "long", plump=0.36, marks="bars"),
            "spotted hawk": Bird("hooked", "fanned", plump=0.4, marks="spots"),
        },
        "wading fowl": {
            "crane": Bird("dagger", "fanned", neck=0.6, legs=0.7, plump=0.32),
            "ibis": Bird("curved", "short", neck=0.3, legs=0.5, plump=0.4),
            "crested drake": Bird("flat", "cocked", neck=0.25, legs=0.15, plump=0.48, crest=0.9),
        },
    },
    "toadstool": {
        "gilled toadstool": {
            "parasol": Fungus("flat", stem=0.08, collar=0.3, marks="spots"),
            "fly cap": Fungus("dome", stem=0.2, marks="spots", foot=1.5),
            "hat of elves": Fungus("cone", stem=0.12, marks="rim"),
        },
        "odd toadstool": {
            "horn": Fungus("funnel", stem=0.16, company=2),
            "snowball": Fungus("ball", stem=0.3),
            "beehive": Fungus("morel", stem=0.22, marks="rim", company=1),
        },
    },
    "aeroplane": {
        "propeller plane": {
            "trainer": Aircraft(sweep=0.0, span=0.9, root=0.3, tip=0.25, engines=0, wing=-0.3),
            "bomber": Aircraft(sweep=0.1, span=1.0, root=0.35, tip=0.15, engines=4, girth=0.14),
            "catamaran plane": Aircraft(sweep=0.1, root=0.3, tip=0.15, booms=0.5, tail="broad", wing=-0.2),
        },
        "jet": {
            "delta jet": Aircraft(sweep=0.75, span=0.8, root=0.9, tip=0.1, engines=0, tail="none"),
            "airliner": Aircraft(sweep=0.5, span=0.95, root=0.35, engines=2, girth=0.13),
            "sweptback jet": Aircraft(sweep=0.7, span=0.75, root=0.4, engines=0, tail="canard", wing=0.0),
        },
    },
    "implement": {
        "hand tool": {"hammer": Object("hammer"), "saw": Object("saw"), "spade": Object("spade")},
        "vessel": {"teapot": Object("teapot"), "goblet": Object("goblet"), "barrel": Object("barrel")},
    },
    "emblem": {
        "plain emblem": {
            "pentagon": Shape("pentagon", hole=0.35),
            "cross": Shape("cross"),
            "crescent": Shape("crescent"),
        },
        "charged emblem": {
            "striped disc": Shape("disc", STRIPES),
            "dotted heart": Shape("heart", SPOTS),
            "chequered square": Shape("square", CHECKS),
        },
    },
    "textile": {
        "ruled textile": {
            "diagonal ticking": Texture(textures.banded, 3.5, tilt=45.0),
            "herringbone": Texture(textures.zigzagged, 4.0, tilt=90.0),
            "tartan": Texture(textures.gridded, 3.0, tilt=45.0),
        },
        "figured textile": {
            "polka": Texture(textures.dotted, 3.0),
            "roundel": Texture(textures.lacelike, 4.0, stretch=0.7),
            "craquelure": Texture(textures.cracked, 5.0, stretch=0.6),
        },
    },
    "letter": {"round letter": letters("uncial", (-0.5, 0.5, 0.3)), "straight letter": letters("rune", (0.0,))},
}
VALID: Tree = {
    "curio": {
        "keepsake": {"bell": Object("bell"), "candle": Object("candle"), "padlock": Object("padlock")},
        "toy": {"rocket": Object("rocket"), "drum": Object("drum"), "castle": Object("tower")},
    },
    "tile": {
        "framed tile": {
            "scale tile": Texture(textures.scaly, 4.0),
            "ray tile": Texture(textures.rayed, 2.0, stretch=0.8),
        },
        "endless tile": {
            "wave tile": Texture(textures.wavy, 4.0, tilt=90.0),
            "pyramid tile": Texture(textures.triangular, 4.0),
            "rib tile": Texture(textures.pleated, 3.0, tilt=90.0),
        },
    },
    "token": {
        "pierced token": {"pierced star": Shape("star", hole=0.22), "pierced burst": Shape("burst", hole=0.4)},
        "covered token": {
            "meshed drop": Shape("drop", MESH),
            "striped spool": Shape("spool", STRIPES),
            "spotted leaf": Shape("leaf", SPOTS),
        },
    },
}
TEST: Tree = {
    "gadget": {
        "instrument": {"camera": Object("camera"), "anchor": Object("anchor"), "wheel": Object("wheel")},
        "utensil": {"fork": Object("fork"), "latchkey": Object("key"), "trestle": Object("bridge")},
    },
    "badge": {
        "open badge": {"arch": Shape("arch"), "elbow": Shape("elbow"), "comb": Shape("comb")},
        "covered badge": {"striped arrow": Shape("arrow", STRIPES), "meshed wedge": Shape("wedge", MESH)},
    },
    "screen": {
        "shutter": {
            "slanted shutter": Texture(textures.banded, 3.0, tilt=-45.0),
            "brick screen": Texture(textures.bricked, 4.0, tilt=90.0),
            "ripple screen": Texture(textures.swirly, 3.5, stretch=0.6),
        },
        "lattice": {
            "diamond lattice": Texture(textures.crosshatched, 4.0),
            "cross lattice": Texture(textures.crossed, 4.0, tilt=45.0),
        },
    },
}
TREES = {"train": TRAIN, "valid": VALID, "test": TEST}
ROOTS = {"train": "entity", "valid": "collectible", "test": "device"}
# Additional inner nodes by split and the nodes that they span, which thereby have several parents.
CROSSINGS = {
    "train": {
        "organism": ("blossom", "fowl", "toadstool"),
        "artefact": ("aeroplane", "implement", "emblem"),
        "surface": ("textile", "letter", "emblem"),
        "spotted thing": ("spotted hawk", "parasol", "fly cap", "dotted heart", "polka"),
        "ruled thing": ("barred cuckoo", "striped disc", "chequered square", "ruled textile"),
        "round thing": ("roundel", "snowball", "striped disc", "marguerite", "barrel"),
    },
    "valid": {"striped collectible": ("striped spool", "wave tile", "ray tile", "rib tile", "drum")},
    "test": {
        "barred device": ("striped arrow", "slanted shutter", "brick screen", "comb", "fork"),
        "handled device": ("utensil", "anchor", "elbow"),
    },
}


def leaf_subjects(split: str) -> dict[str, Drawable]:
    """The drawable of each class of a split by its words, in class id order."""
    genera = (genus for family in TREES[split].values() for genus in family.values())
    return {words: subject for genus in genera for words, subject in genus.items()}


def split_graph(split: str) -> tuple[Node, ...]:
    """The nodes of a split's graph; leaves have the lowest WordNet ids, in the order of `leaves`."""
    tree, crossings = TREES[split], CROSSINGS[split]
    children = {words: tuple(below) for family in tree.values() for words, below in family.items()}
    children |= {words: tuple(family) for words, family in tree.items()} | crossings
    inner = [words for words in children if not any(words in below for below in children.values())]
    children[ROOTS[split]] = tuple(inner)
    first = 90_000_001 + 100_000 * list(TREES).index(split)  # WordNet itself has no synset above n15300051
    ids = {words: f"n{first + number}" for number, words in enumerate([*leaf_subjects(split), *children])}
    parents = {words: [above for above, below in children.items() if words in below] for words in ids}
    return tuple(
        Node(
            wn_id,
            words,
            tuple(sorted(ids[child] for child in children.get(words, ()))),
            tuple(sorted(ids[parent] for parent in parents[words])),
        )
        for words, wn_id in ids.items()
    )
