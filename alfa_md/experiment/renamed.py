"""Translation of old gin names to current ones, so that stored runs and users' gin files keep working."""

import re
from io import StringIO

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
CONFIGURABLES = {"fast": "keep_all", "balanced": "recompute_alternate", "low": "recompute_all"}
PARAMETERS = {  # of configurables under their current names
    "GradientLearner.memory": "GradientLearner.recompute",
    "GradientLearner.start": "GradientLearner.initialization",
}
VALUES = {  # (parameter, value) -> (parameter, value)
    ("GradientLearner.adapt_batch_norm", "True"): ("GradientLearner.adapts", "@everything"),
    ("GradientLearner.adapt_batch_norm", "False"): ("GradientLearner.adapts", "@all_but_batch_norm"),
}

IMPORT = re.compile(r"^(\s*(?:import|from)\s+)alfa_md\.([\w.]+)", re.MULTILINE)
REFERENCE = re.compile(r"(@(?:[\w.]+/)*)(?:[\w.]+\.)?(\w+)")
BINDING = re.compile(r"^(\s*(?:[\w.]+/)*)((?:[\w.]+\.)?)(\w+)\.(\w+)(\s*=\s*)(.*)$", re.MULTILINE)


def translate(text: str) -> str:
    """A configuration, or some bindings, with old names replaced by current ones."""
    text = IMPORT.sub(lambda found: f"{found[1]}alfa_md.{MODULES.get(found[2], found[2])}", text)
    text = REFERENCE.sub(_reference, text)
    return BINDING.sub(_binding, text)


def current_name(parameter: str) -> str | None:
    """The current name of `Configurable.parameter`, None if it has not been renamed."""
    by_value = {old: new for (old, _), (new, _) in VALUES.items()}
    return PARAMETERS.get(parameter) or by_value.get(parameter)


def open_translated(path: str) -> StringIO:
    """Opens a gin file for reading, with old names replaced by current ones."""
    with open(path, encoding="utf-8") as file:
        text = StringIO(translate(file.read()))
    text.name = path  # shown in gin's messages
    return text


def _reference(found: re.Match) -> str:
    return found[1] + CONFIGURABLES[found[2]] if found[2] in CONFIGURABLES else found[0]


def _binding(found: re.Match) -> str:
    scope, module, configurable, parameter, equals, value = found.groups()
    if configurable in CONFIGURABLES:
        module, configurable = "", CONFIGURABLES[configurable]
    name = f"{configurable}.{parameter}"
    bare, space, comment = re.match(r"([^#]*?)(\s*)(#.*)?$", value).groups()
    name, bare = VALUES.get((name, bare), (PARAMETERS.get(name, name), bare))
    return f"{scope}{module}{name}{equals}{bare}{space}{comment or ''}"
