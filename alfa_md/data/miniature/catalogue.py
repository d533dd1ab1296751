"""Classes of the flat sources by name: training classes first, then validation, then test."""

from alfa_md.data.miniature import textures
from alfa_md.data.miniature.aircraft import Aircraft
from alfa_md.data.miniature.birds import Bird
from alfa_md.data.miniature.doodles import Doodle
from alfa_md.data.miniature.flowers import Flower
from alfa_md.data.miniature.fungi import Fungus
from alfa_md.data.miniature.objects import Object
from alfa_md.data.miniature.signs import Sign
from alfa_md.data.miniature.textures import Texture

AIRCRAFT = {
    "Courier-2": Aircraft(sweep=0.0, root=0.25, tip=0.22, engines=0),
    "Javelin": Aircraft(sweep=0.85, span=0.7, root=1.0, tip=0.06, engines=0, tail="none"),
    "Liner-100": Aircraft(sweep=0.45, engines=2),
    "Liner-400": Aircraft(sweep=0.5, engines=4, girth=0.16),
    "Twinboom": Aircraft(sweep=0.0, root=0.25, tip=0.2, booms=0.45, tail="broad"),
    "Glider": Aircraft(sweep=0.05, span=1.1, root=0.16, tip=0.08, girth=0.08, engines=0),
    "Falcon-V": Aircraft(sweep=0.6, span=0.7, root=0.5, engines=0, tail="vee"),
    "Duck": Aircraft(sweep=0.5, wing=0.2, root=0.5, engines=0, tail="canard"),
    "Freighter": Aircraft(sweep=0.1, root=0.35, tip=0.25, girth=0.24, engines=4, tail="broad"),
    "Forward-29": Aircraft(sweep=-0.45, wing=0.3, root=0.4, engines=0, tail="canard"),
    "Commuter": Aircraft(sweep=0.15, span=0.8, wing=-0.35, engines=2, tail="broad"),
    "Manta": Aircraft(sweep=0.7, span=0.9, root=0.8, tip=0.2, girth=0.2, engines=0, tail="none"),
    "Ferry": Aircraft(sweep=0.0, span=0.75, root=0.4, tip=0.4, girth=0.2, engines=2),
    "Swift": Aircraft(sweep=0.75, span=0.8, root=0.25, tip=0.1, engines=0, tail="vee"),
    "Heron-4": Aircraft(sweep=0.1, span=1.05, root=0.22, tip=0.15, engines=4, wing=-0.1),
    "Condor": Aircraft(sweep=0.05, span=1.05, root=0.3, tip=0.25, engines=4, wing=-0.45, tail="broad"),
    "Arrow": Aircraft(sweep=0.9, span=0.6, root=0.9, tip=0.05, wing=-0.1, engines=0, tail="canard"),
    "Shuttle": Aircraft(sweep=0.55, span=0.9, root=0.45, wing=-0.25, engines=2, girth=0.14, tail="vee"),
    "Bobcat": Aircraft(sweep=0.0, span=0.7, root=0.3, tip=0.3, wing=-0.5, engines=0, girth=0.16),
    "Pelican": Aircraft(sweep=0.0, root=0.3, tip=0.3, wing=-0.3, booms=0.55, tail="broad", engines=2, girth=0.18),
    "Boomerang": Aircraft(sweep=-0.5, span=0.9, wing=0.25, root=0.35, engines=2, tail="none"),
}

BIRDS = {
    "Brook Warbler": Bird("stout", "short", marks="bib"),
    "Grey Stork": Bird("dagger", "short", neck=0.5, legs=0.75, plump=0.34),
    "Marsh Wren": Bird("dagger", "cocked", legs=0.25, plump=0.36, marks="bars"),
    "Hill Kite": Bird("hooked", "forked", plump=0.36, marks="spots"),
    "Bank Swallow": Bird("stout", "forked", legs=0.12, plump=0.3),
    "Crested Jay": Bird("stout", "long", crest=0.9, marks="bars"),
    "River Duck": Bird("flat", "short", neck=0.2, legs=0.1, plump=0.5),
    "Dune Curlew": Bird("curved", "short", neck=0.35, legs=0.6, plump=0.36, marks="spots"),
    "Fan Grouse": Bird("stout", "fanned", plump=0.52, marks="bars"),
    "Field Magpie": Bird("stout", "long", plump=0.38, marks="bib"),
    "Reed Heron": Bird("dagger", "long", neck=0.6, legs=0.6, plump=0.28, crest=0.6),
    "Stone Owl": Bird("hooked", "short", legs=0.15, plump=0.6, marks="spots"),
    "Lake Goose": Bird("flat", "fanned", neck=0.5, legs=0.3, plump=0.46),
    "Pine Cuckoo": Bird("curved", "long", legs=0.2, plump=0.34, marks="bars"),
    "Tuft Tit": Bird("stout", "short", crest=1.0, plump=0.46, marks="cap"),
    "Shore Avocet": Bird("curved", "short", neck=0.45, legs=0.75, plump=0.34, marks="bars"),
    "Swallow Hawk": Bird("hooked", "forked", legs=0.15, plump=0.34),
    "Royal Peafowl": Bird("stout", "fanned", neck=0.5, legs=0.45, plump=0.36, crest=0.9),
    "Pond Teal": Bird("flat", "short", legs=0.12, plump=0.55, marks="cap"),
    "Wood Dipper": Bird("dagger", "cocked", plump=0.5, marks="bib"),
    "Canyon Tern": Bird("dagger", "long", legs=0.15, plump=0.28, marks="cap"),
}

TEXTURES = {
    "banded": Texture(textures.banded, 3.0),
    "dotted": Texture(textures.dotted, 3.5),
    "bricked": Texture(textures.bricked, 4.0),
    "marbled": Texture(textures.marbled, 4.0),
    "grid": Texture(textures.gridded, 3.5),
    "cracked": Texture(textures.cracked, 4.0),
    "swirly": Texture(textures.swirly, 4.0),
    "wavy": Texture(textures.wavy, 3.5),
    "studded": Texture(textures.studded, 3.0),
    "sprinkled": Texture(textures.sprinkled, 3.5),
    "pleated": Texture(textures.pleated, 4.0),
    "triangular": Texture(textures.triangular, 3.5),
    "rayed": Texture(textures.rayed, 2.0),
    "woven": Texture(textures.woven, 4.0),
    "lacelike": Texture(textures.lacelike, 3.0),
    "blotchy": Texture(textures.blotchy, 5.0),
    "crossed": Texture(textures.crossed, 3.0),
    "chequered": Texture(textures.chequered, 4.0),
    "zigzagged": Texture(textures.zigzagged, 4.0),
    "spiralled": Texture(textures.spiralled, 4.0),
    "scaly": Texture(textures.scaly, 4.0),
    "bubbly": Texture(textures.bubbly, 3.5),
    "crosshatched": Texture(textures.crosshatched, 5.0),
    "fibrous": Texture(textures.fibrous, 2.5),
}

DOODLES = {
    name: Doodle(name)
    for name in (
        *("house", "face", "tree", "boat", "key", "lightning", "arrow", "snake", "hat", "butterfly", "kite", "cup"),
        *("sun", "umbrella", "mountain", "flag", "cactus", "heart"),
        *("star", "fish", "ladder", "spiral", "envelope", "hourglass", "eyeglasses", "stairs"),
    )
}

FUNGI = {
    "0001.Common domecap": Fungus("dome"),
    "0002.Spotted domecap": Fungus("dome", marks="spots", collar=0.3),
    "0003.Slender witchcap": Fungus("cone", stem=0.08),
    "0004.Meadow table": Fungus("flat", stem=0.14),
    "0005.Gold trumpet": Fungus("funnel", stem=0.2),
    "0006.Earth ball": Fungus("ball", stem=0.24),
    "0007.Ink bell": Fungus("bell", stem=0.09, marks="streaks"),
    "0008.Stout cep": Fungus("dome", stem=0.34, foot=1.3),
    "0009.Family morel": Fungus("morel", stem=0.2, marks="spots", company=2),
    "0010.Ringed table": Fungus("flat", stem=0.1, collar=0.34, foot=1.8),
    "0011.Rimmed funnel": Fungus("funnel", stem=0.12, marks="rim", company=1),
    "0012.Streaked cone": Fungus("cone", stem=0.16, marks="streaks", company=2),
    "0013.Clustered bell": Fungus("bell", stem=0.12, company=2),
    "0014.Spotted table": Fungus("flat", stem=0.2, marks="spots", foot=1.5),
    "0015.Rimmed dome": Fungus("dome", stem=0.1, marks="rim", company=1),
    "0016.Warted ball": Fungus("ball", stem=0.14, marks="spots", foot=1.8),
    "0017.Lone morel": Fungus("morel", stem=0.28, marks="streaks"),
    "0018.Broad chanterelle": Fungus("funnel", stem=0.3, marks="streaks"),
    "0019.Ringed bell": Fungus("bell", stem=0.18, collar=0.36, marks="rim"),
    "0020.Clustered ball": Fungus("ball", stem=0.2, company=2, marks="rim"),
    "0021.Fairy table": Fungus("flat", stem=0.08, company=2, marks="streaks"),
    "0022.Spotted witchcap": Fungus("cone", stem=0.24, marks="spots", foot=1.6),
    "0023.Club morel": Fungus("morel", stem=0.14, foot=2.2, collar=0.3),
}

FLOWERS = {
    "001.triplet lily": Flower(3, "pointed"),
    "002.buttercup": Flower(5, "round"),
    "003.daisy": Flower(12, "round", centre=0.3),
    "004.campion": Flower(5, "notched", centre=0.15),
    "005.star of the field": Flower(6, "pointed", breadth=0.6, rays=5),
    "006.double rose": Flower(5, "round", rings=3, centre=0.12),
    "007.spoon aster": Flower(9, "spoon", centre=0.28),
    "008.four o'clock": Flower(4, "square", centre=0.14),
    "009.dahlia": Flower(10, "pointed", rings=3, centre=0.1),
    "010.bindweed": Flower(4, "round", breadth=0.85, centre=0.2, rays=6),
    "011.sunflower": Flower(14, "pointed", centre=0.48),
    "012.mill wheel": Flower(7, "square", breadth=0.6, centre=0.2),
    "013.clover": Flower(3, "notched", breadth=1.1, centre=0.12),
    "014.anemone": Flower(8, "round", centre=0.2, rays=13),
    "015.lattice aster": Flower(6, "spoon", centre=0.16),
    "016.ragged robin": Flower(7, "notched", breadth=0.7),
    "017.iris": Flower(3, "round", rings=2, centre=0.1),
    "018.gerbera": Flower(16, "round", breadth=0.9, centre=0.18, rings=2),
    "019.cross poppy": Flower(4, "pointed", centre=0.34, rays=9),
    "020.pinwheel": Flower(5, "square", breadth=0.8, centre=0.26),
    "021.spider lily": Flower(8, "pointed", breadth=0.35, centre=0.12),
    "022.cornflower": Flower(8, "spoon", breadth=1.1, rings=2, centre=0.12),
    "023.eyed primrose": Flower(6, "notched", centre=0.38),
}

SIGNS = {
    "00.No entry": Sign("disc", "bar"),
    "01.Limit 1": Sign("disc", "one"),
    "02.Limit 7": Sign("disc", "seven"),
    "03.Yield": Sign("yield", "none"),
    "04.Danger": Sign("triangle", "mark"),
    "05.Bend": Sign("triangle", "bend"),
    "06.Stop": Sign("octagon", "cross"),
    "07.Ahead only": Sign("disc", "ahead", "order"),
    "08.Keep aside": Sign("disc", "left", "order"),
    "09.Priority": Sign("diamond", "none", "notice"),
    "10.Signals": Sign("square", "lights", "order"),
    "11.Fork": Sign("diamond", "fork", "notice"),
}

THINGS = {
    name: Object(name, company=2)
    for name in (
        *("bus", "house", "cat", "lamp", "guitar", "sofa", "airship"),
        *("person", "car", "tree", "cup", "chair", "clock", "umbrella", "bottle", "bicycle"),
    )
}
