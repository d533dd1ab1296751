"""Bad configurations: overrides out of reach, includes in a circle, and imports by the configuration of a run."""

from tests.entries import damage as d
from tests.entries.bad_input import BadInput, bound, evaluate

SECTIONS: dict[str, tuple[BadInput, ...]] = {
    "Configurations of runs, and overrides": (
        BadInput(
            "an override that scoped bindings keep out",
            "train",
            ("--gin_config=gin/few_shot/maml.gin", "--gin_bindings=Transform.size = 20", "--run_dir=new"),
            "^gin: Transform.size = 20 does not replace ink/Transform.size = 28 and picture/Transform.size = 28, in",
        ),
        bound(
            "a scope that nothing is called in",
            r"^gin: nothing is called in the scope trian of trian/Sampling; did you mean train\?$",
            "trian/Sampling.num_ways = 5",
        ),
        evaluate(
            "a macro that the run does not use",
            "^gin: nothing uses the macro SHOT here, so that it would have no effect$",
            *("--gin_bindings=SHOT = 1", "--name=one"),
        ),
        evaluate(
            "a file that includes itself",
            r"^gin: \S*run/config.gin includes itself \(config.gin -> config.gin\); remove one of these includes$",
            damage=d.replaced("run/config.gin", "", "include 'run/config.gin'"),
        ),
        evaluate(
            "code beside the package",
            "^gin: run/config.gin imports my_rules, which runs code .*; if you trust it, add --trust=my_rules ",
            damage=d.replaced("run/config.gin", "import alfa_md.heads", "import my_rules\nimport alfa_md.heads"),
        ),
    ),
}
