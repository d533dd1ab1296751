"""Studies measured in addition to the paper's tables, by name."""

from itertools import product

from scripts.prediction_study import PredictionStudy
from scripts.real_ten_study import REAL_TEN
from scripts.study import Study, Variant

COSINE = ("train.schedule = @cosine_decay",)


def meta_dataset(updates: int, *bindings: str) -> Variant:
    """A learner on Omniglot records; the learning rate is halved after each quarter of the run, or as bound."""
    schedule = () if set(COSINE) <= set(bindings) else (f"step_decay.decay_every = {updates // 4}",)
    length = (f"train.num_updates = {updates}", *schedule)
    validation = (f"train.validate_every = {updates // 2}", "train.num_validation_episodes = 60")
    return Variant("gin/omniglot_proto_maml_alfa.gin", (*bindings, *length, *validation))


ZERO_HEAD = ("GradientLearner.head = @ZeroHead()", "INNER_RATE = 0.1")
SGD = "GradientLearner.rule = @sgd"
PROTOTYPICAL = "Experiment.learner = @PrototypicalLearner()"
OMNIGLOT = Study(
    "omniglot",
    {
        "ALFA": meta_dataset(600),
        "control": meta_dataset(600, "GradientLearner.rule = @lslr_decay"),
        "proto-maml-0.01": meta_dataset(600, SGD, "INNER_RATE = 0.01"),
        "proto-maml-0.03": meta_dataset(600, SGD, "INNER_RATE = 0.03"),
        "proto-maml-0.1": meta_dataset(600, SGD, "INNER_RATE = 0.1"),
        "prototypical": meta_dataset(600, PROTOTYPICAL),
        "maml": meta_dataset(600, *ZERO_HEAD, SGD),
        "maml-alfa": meta_dataset(600, *ZERO_HEAD),
        "cpu-proto-maml": meta_dataset(630, SGD, "INNER_RATE = 0.01"),  # the best rate for about ALFA's CPU time
        "ALFA-long": meta_dataset(3000),
        "prototypical-long": meta_dataset(1500, PROTOTYPICAL),
        "prototypical-cosine": meta_dataset(4000, PROTOTYPICAL, *COSINE, "cosine_decay.minimum = 0.0002"),
        "ALFA-pretrained": meta_dataset(3000, *COSINE, "train.learning_rate = 0.0005")._replace(
            pretrained="prototypical-cosine"
        ),
    },
    data="RECORDS",
)

NETWORKS = {"2x40": ("HIDDEN = (40, 40)", "NUM_FEATURES = 40"), "3x80": ("HIDDEN = (80, 80, 80)", "NUM_FEATURES = 80")}
TEN_THOUSAND = (
    "import alfa_md.learners.batching.traced",
    "GradientLearner.batching = @Traced()",
    "Traced.run = @compiled",
    "train.num_updates = 10000",
    "train.episodes_per_step = 16",
    "train.validate_every = 1000",
    "train.num_validation_episodes = 600",
)
TWENTY_THOUSAND = ("train.num_updates = 20000", "train.validate_every = 2000")
NORMALIZED = ("import alfa_md.rules.normalized_state", "Generator.state = @NormalizedState")
PER_CHANNEL = ("import alfa_md.rules.per_channel", "alfa.scale = @PerStepPerChannel")
LOGRATE = "include 'gin/parts/rule_lograte.gin'"
NO_GENERATOR = ("import alfa_md.rules.lograte", "lslr_decay.scale = @HalvedPerChannel")
METHODS = {  # Table 8's row with its best schedule: see maml-cosine below
    "maml": ("table8_maml",),
    "alfa": ("table8_alfa_maml", *COSINE),
    "control": ("table8_control", *COSINE),
    "per-channel": ("table8_alfa_maml", *COSINE, *PER_CHANNEL),
    "lograte": ("table8_alfa_maml", *COSINE, LOGRATE),
}
COMPARED = ("maml", "alfa", "control")
FURTHER = (*COMPARED, "lograte")  # also tested with more inner steps


def sine(network: str, shots: int, row: str, *bindings: str) -> Variant:
    """A cell of Table 8 with ten thousand updates of sixteen curves."""
    order = (*TEN_THOUSAND, *bindings, f"SHOT = {shots}", *NETWORKS[network])
    return Variant(f"gin/paper/{row}.gin", order)


def steps(method: str, number: int) -> Variant:
    """The run of cell 2x40 k=10, tested with more inner steps than in training."""
    trained = sine("2x40", 10, *METHODS[method])
    return trained._replace(run=f"2x40-k10-{method}", test=(f"GradientLearner.additional_evaluation_steps = {number}",))


ALFA = ("2x40", 10, *METHODS["alfa"])
CELLS = tuple(product(NETWORKS, (5, 10, 20)))
SINE = Study(
    "sine",
    {
        f"{network}-k{shots}-{method}": sine(network, shots, *how)
        for (network, shots), (method, how) in product(CELLS, METHODS.items())
    }
    | {
        "2x40-k10-maml-cosine": sine("2x40", 10, "table8_maml", *COSINE),
        "2x40-k10-alfa-flat": sine("2x40", 10, "table8_alfa_maml"),
        "2x40-k10-normalized": sine(*ALFA, *NORMALIZED),
    }
    | {f"2x40-k20-{method}-longer": sine("2x40", 20, *METHODS[method], *TWENTY_THOUSAND) for method in COMPARED}
    | {f"2x40-k10-{method}-{number}-more": steps(method, number) for method, number in product(FURTHER, (1, 5))}
    | {"2x40-k10-lograte-no-generator": sine("2x40", 10, "table8_control", *COSINE, *NO_GENERATOR)},
)

SETTINGS = {  # of Omniglot: number of updates of two episodes within the CPU budget, bindings
    "5-way 1-shot": (600, "WAY = 5", "SHOT = 1"),
    "5-way 5-shot": (300, "WAY = 5", "SHOT = 5"),
    "20-way 1-shot": (300, "WAY = 20", "SHOT = 1"),
}
LEARNERS = {"maml": "MAML", "alfa_maml": "ALFA + MAML", "alfa_random": "ALFA + Random Init", "maml_l2f": "MAML + L2F"}
INERT = "NormalizedState.without = ('*/backbone.layers.*.0.bias', 'gradients/head.*', 'weights/head.bias')"


def few_shot(setting: str, method: str, *bindings: str) -> Variant:
    """A learner of few-shot Omniglot within the CPU budget."""
    updates, *task = SETTINGS[setting]
    budget = ("TASKS = 2", f"train.num_updates = {updates}", f"train.validate_every = {updates // 2}")
    return Variant(f"gin/few_shot/{method}.gin", (*task, *budget, *bindings))


def slug(setting: str) -> str:
    return setting.replace(" ", "-")


ONE_SHOT = ("5-way 1-shot", "alfa_maml")
FEW_SHOT = Study(
    "few_shot",
    {f"{slug(setting)}-{method}": few_shot(setting, method) for setting, method in product(SETTINGS, LEARNERS)}
    | {
        "5-way-1-shot-normalized": few_shot(*ONE_SHOT, *NORMALIZED, INERT),
        "5-way-1-shot-per-channel": few_shot(*ONE_SHOT, *PER_CHANNEL),
    }
    | {
        f"5-way-1-shot-{method}-5-more": few_shot("5-way 1-shot", method)._replace(
            run=f"5-way-1-shot-{method}", test=("GradientLearner.additional_evaluation_steps = 5",)
        )
        for method in ("maml", "alfa_maml")
    },
    data="IMAGES",
)

SMALL_EPISODES = (
    "IMAGE_SIZE = 42",
    "Sampling.max_ways_upper_bound = 20",
    "Sampling.max_support_set_size = 100",
    "train.schedule = @cosine_decay",
)
SMALL_NETWORK = (
    "import alfa_md.backbones.four_layer_convnet",
    "BACKBONE = @FourLayerConvNet()",
    "GradientLearner.num_steps = 3",
    *SMALL_EPISODES,
)
TWO_HUNDRED = (
    "train/Sampling.max_ways_upper_bound = 20",
    "train/Sampling.max_support_set_size = 60",
    "train.num_updates = 200",
    "train.validate_every = 100",
    "train.num_validation_episodes = 40",
)
NO_UPDATE = ("train.num_updates = 0", "train.num_validation_episodes = 1")
PREDICTIONS = PredictionStudy(
    "predictions",
    {
        "proto_maml": Variant("gin/proto_maml.gin", (*SMALL_NETWORK, *NO_UPDATE)),
        "alfa": Variant("gin/proto_maml_alfa.gin", (*SMALL_NETWORK, *TWO_HUNDRED)),
    },
    Variant(
        "gin/pretrain_imagenet_convnet.gin",
        (
            *SMALL_EPISODES,
            "BaselineLearner.classifier = @LinearClassifier()",
            "NUM_FEATURES = 256",
            "NUM_CLASSES = 62",
            "batches.batch_size = 64",
            "train.num_updates = 1500",
            "train.learning_rate = 0.001",
            "train.validate_every = 500",
            "train.num_validation_episodes = 40",
        ),
    ),
)

VIT = (  # 49 tokens an image, 5-way 5-shot episodes with 10 queries a class
    "VitTiny.patch_size = 12",
    *("Sampling.num_ways = 5", "Sampling.num_support = 5", "Sampling.num_query = 10"),
    "Experiment.test_sources = ('ilsvrc_2012',)",
)
PRETRAINING = (
    *("NUM_CLASSES = 62", "batches.batch_size = 128", "train.num_validation_episodes = 100"),
    *("train.num_updates = 1000", "train.validate_every = 250", "train.checkpoint_every = 250"),
)
ADAPTED = {  # gin file and bindings of every part that is adapted
    "head": ("gin/vit_alfa_head.gin",),
    "norms": ("gin/vit_alfa_head.gin", "include 'gin/parts/norms_only.gin'"),
    "lora": ("gin/vit_alfa_lora.gin",),
}
RATES = ("INNER_RATE = 0.001", "INNER_RATE = 0.01", "INNER_RATE = 0.1")
SAME = ("GradientLearner.num_steps = 3", "train.num_validation_episodes = 60")
FINE_TUNING = (*SAME, "GradientLearner.rule = @sgd", "train.num_updates = 0")
META_TRAINING = (*SAME, "train.num_updates = 150")
OUTER_RATES = ("train.learning_rate = 0.001", "train.learning_rate = 0.0001")


def part(name: str, *bindings: str, grid: tuple[str, ...] = ()) -> Variant:
    """A learner that adapts one part of the pretrained vision transformer."""
    file, *own = ADAPTED[name]
    return Variant(file, (*own, *VIT, *bindings), pretrained="pretrained", grid=grid)


PARTS = Study(
    "parts",
    {"pretrained": Variant("gin/pretrain_imagenet_vit.gin", (*VIT, *PRETRAINING))}
    | {f"{name}-fine-tuning": part(name, *FINE_TUNING, grid=RATES) for name in ADAPTED}
    | {f"{name}-alfa": part(name, *META_TRAINING, grid=OUTER_RATES) for name in ADAPTED},
    data="RECORDS",
    num_episodes=200,
)

STUDIES = {study.name: study for study in (OMNIGLOT, SINE, FEW_SHOT, PREDICTIONS, PARTS, REAL_TEN)}
