"""The study of ten sources of real images: learners from pretrained features, from scratch, and of five sources."""

from itertools import product

from scripts.study import Study, Variant

FOLDER = "gin/real_ten"
PRETRAINED = "pretrained"
BASES = {"maml": "fo-MAML", "proto-maml": "fo-Proto-MAML"}
METHODS = {
    "alfa": "+ ALFA",
    "control": "control",
    "alfa-per-channel": "+ ALFA per channel",
    "alfa-l2f": "+ L2F + ALFA",
}
SHORT = ("alfa", "control")  # measured from scratch and on five sources too
RATES = ("INNER_RATE = 0.01", "INNER_RATE = 0.03", "INNER_RATE = 0.1")
SCRATCH = ("PRETRAINED = None",)
FIVE_SOURCES = (f"include '{FOLDER}/all.gin'",)
ONE_SEED = (0,)


def learner(name: str, *bindings: str, pretrained: str = PRETRAINED, seeds: tuple[int, ...] = (0, 1, 2)) -> Variant:
    """A learner of gin/real_ten; `name` is that of its file, with dashes."""
    return Variant(f"{FOLDER}/{name.replace('-', '_')}.gin", bindings, pretrained=pretrained, seeds=seeds)


def tested(baseline: str) -> Variant:
    """A baseline of `alfa_md.evaluate` on the pretrained features."""
    return Variant(f"{FOLDER}/pretrain.gin", run=PRETRAINED, baseline=baseline)


def family(base: str, methods: tuple[str, ...], prefix: str, *bindings: str, **settings) -> dict[str, Variant]:
    """A base learner, whose inner rate is chosen by validation, and its methods, which take that rate."""
    plain = f"{prefix}{base}"
    found = {plain: learner(base, *bindings, **settings)._replace(grid=RATES)}
    for method in methods:
        name = f"{base}-{method}"
        found[f"{prefix}{name}"] = learner(name, *bindings, **settings)._replace(like=plain)
    return found


REAL_TEN = Study(
    "real_ten",
    {
        PRETRAINED: Variant(f"{FOLDER}/pretrain.gin"),
        "prototypical": learner("prototypical"),
        **family("proto-maml", tuple(METHODS), ""),
        **family("maml", tuple(METHODS), ""),
        "linear-probe": tested("linear_probe"),
        "fine-tuning": tested("fine_tuning"),
        **family("proto-maml", SHORT, "scratch-", *SCRATCH, pretrained="", seeds=ONE_SEED),
        **family("proto-maml", SHORT, "all-", *FIVE_SOURCES, seeds=ONE_SEED),
    },
    data="RECORDS",
    num_episodes=200,
)

TITLES = {
    PRETRAINED: "nearest neighbour on pretrained features",
    "linear-probe": "linear probe on pretrained features",
    "fine-tuning": "fine-tuning of the pretrained network",
    "prototypical": "prototypical network",
}
for _base, _title in BASES.items():
    TITLES[_base] = _title
    TITLES |= {f"{_base}-{method}": f"{_title} {how}" for method, how in METHODS.items()}
OTHERS = {"scratch-": "from scratch", "all-": "five sources"}
TITLES |= {
    f"{prefix}{name}": f"{TITLES[name]}, {how}"
    for (prefix, how), name in product(OTHERS.items(), ("proto-maml", *(f"proto-maml-{method}" for method in SHORT)))
}
