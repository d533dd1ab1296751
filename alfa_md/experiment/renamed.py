"""Translation of old gin names to current ones, so that stored runs and users' gin files keep working."""

import re

# Modules below alfa_md that a gin file may import, old -> new.
MODULES = {
    "classifiers": "learners.classifiers",
    "cuda_graph": "learners.batching.cuda_graph",
    "experiment": "experiment.definition",
    "learners.captured": "learners.batching.captured",
    "learners.traced": "learners.batching.traced",
    "learners.vmapped": "learners.batching.vmapped",
    "learners.starts": "learners.initialization",
    "precision": "kernels.precision",
    "recomputation": "inner_loop.recomputation",
    "rules.state": "rules.learning_state",
    "schedules": "training.schedules",
    "training": "training.loop",
}
PARAMETERS = {
    "GradientLearner.memory": "GradientLearner.recompute",
    "GradientLearner.start": "GradientLearner.initialization",
}
# (parameter, value) -> (parameter, value): renamed in its own parameter alone, as a user may have another @low.
VALUES = {
    ("GradientLearner.memory", "@fast"): ("GradientLearner.recompute", "@keep_all"),
    ("GradientLearner.memory", "@balanced"): ("GradientLearner.recompute", "@recompute_alternate"),
    ("GradientLearner.memory", "@low"): ("GradientLearner.recompute", "@recompute_all"),
    ("GradientLearner.adapt_batch_norm", "True"): ("GradientLearner.adapts", "@everything"),
    ("GradientLearner.adapt_batch_norm", "False"): ("GradientLearner.adapts", "@all_but_batch_norm"),
}

IMPORT = re.compile(r"^(\s*import\s+)alfa_md\.([\w.]+)", re.MULTILINE)
FROM = re.compile(r"^(\s*from\s+alfa_md)((?:\.\w+)*)(\s+import\s+)(\w+)(\s+as\s+\w+)?", re.MULTILINE)
BINDING = re.compile(r"^(\s*(?:[\w.]+/)*)((?:[\w.]+\.)?)(\w+)\.(\w+)(\s*=\s*)(.*)$", re.MULTILINE)


def translate(text: str) -> str:
    """A configuration, or some bindings, with old names replaced by current ones."""
    text = IMPORT.sub(lambda found: f"{found[1]}alfa_md.{MODULES.get(found[2], found[2])}", text)
    return BINDING.sub(_binding, FROM.sub(_imported_name, text))


def current_name(parameter: str) -> str | None:
    """The current name of `Configurable.parameter`, None if it has not been renamed."""
    by_value = {old: new for (old, _), (new, _) in VALUES.items()}
    return PARAMETERS.get(parameter) or by_value.get(parameter)


def _imported_name(found: re.Match) -> str:
    """`from alfa_md.a import b`, with the module a.b by its current name and under its old one."""
    start, package, between, name, alias = found.groups()
    module = MODULES.get(f"{package}.{name}".removeprefix("."))
    if module is None:
        return found[0]
    folder, _, current = f".{module}".rpartition(".")
    return f"{start}{folder}{between}{current}{alias or f' as {name}'}"


def _binding(found: re.Match) -> str:
    scope, module, configurable, parameter, equals, value = found.groups()
    name = f"{configurable}.{parameter}"
    bare, space, comment = re.match(r"([^#]*?)(\s*)(#.*)?$", value).groups()
    short = re.sub(r"^@[\w.]+\.(\w+)$", r"@\1", bare)  # without the module
    name, bare = VALUES.get((name, short), (PARAMETERS.get(name, name), bare))
    return f"{scope}{module}{name}{equals}{bare}{space}{comment or ''}"
