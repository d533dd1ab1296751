"""Bad values of gin bindings: out of bounds, without effect, and references of the wrong kind."""

from tests.entries.bad_input import BadInput, bound

LORA = ("include 'gin/parts/lora.gin'",)
SECTIONS: dict[str, tuple[BadInput, ...]] = {
    "Values out of bounds": (
        bound(
            "no clipping norm", "^gin: train.clip_norm = 0 must be a number above 0 and at most", "train.clip_norm = 0"
        ),
        bound("an infinite norm", "^gin: train.clip_norm = inf must be a number above 0", "train.clip_norm = 1e400"),
        bound(
            "an infinite decay", "^gin: step_decay.decay_rate = inf must be a number", "step_decay.decay_rate = 1e400"
        ),
        bound(
            "a negative rate", r"^gin: INNER_RATE = -1, bound to \w+.inner_rate, must be a number", "INNER_RATE = -1"
        ),
        bound("images too large", "^gin: IMAGE_SIZE = 100000, bound to .* at most 4096$", "IMAGE_SIZE = 100000"),
        bound(
            "episodes without end",
            "^gin: train.episodes_per_step = 10{18} must be",
            f"train.episodes_per_step = {10**18}",
        ),
        bound(
            "a weight too large", "^gin: Sampling.max_log_weight = 1e[+]18 must be", "Sampling.max_log_weight = 1e18"
        ),
        bound(
            "given by the code", "^gin: sgd.num_steps = 3 has no effect, because the code gives", "sgd.num_steps = 3"
        ),
        bound("a decoder not called", r"must be a reference .* returns Tensor; write @turbo\(\)$", "decoder = @turbo"),
        bound("no schedule", "^gin: train.schedule = @GradientLearner must be", "train.schedule = @GradientLearner"),
        bound(
            "a head as backbone", r"^gin: BACKBONE = @PrototypeHead\(\), .* a backbone", "BACKBONE = @PrototypeHead()"
        ),
        bound(
            "no ways and shots",
            "^Experiment.train_sampling = 0 must be ways and shots",
            "Experiment.train_sampling = 0",
        ),
    ),
    "The part that the inner loop adapts": (
        bound(
            "factors of more than full rank",
            r"^lora.rank = 5 is above the rank 4 of layers.0.0.weight of FourLayerConvNet; lower it, or leave",
            *LORA,
            "lora.rank = 5",
        ),
        bound("a rank of nothing", "^gin: lora.rank = 0 must be a whole number of at least 1", *LORA, "lora.rank = 0"),
        bound("no change by factors", "^gin: lora.alpha = 0 must be a number above 0", *LORA, "lora.alpha = 0"),
        bound(
            "factors of no matrix",
            r"^lora.pattern = 'qkv' is in the name of no weight matrix of FourLayerConvNet; leave it out",
            *LORA,
            "lora.pattern = 'qkv'",
        ),
        bound(
            "a pattern that is none",
            r"^lora.pattern = '\[' is no regular expression \(unterminated character set",
            *LORA,
            "lora.pattern = '['",
        ),
        bound(
            "names of tensors by a pattern that is none",
            r"^matching.pattern = '\(' is no regular expression \(missing \)",
            *("import alfa_md.learners.adapts", "GradientLearner.adapts = @matching()", "matching.pattern = '('"),
        ),
    ),
}
