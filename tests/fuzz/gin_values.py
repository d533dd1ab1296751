"""Parameters that gin files reach, bad values for them, and the outcome of each.

python -m tests.fuzz.gin_values [FILE ...] tries every value (about ten minutes a file of the first kinds) and prints
the counts; findings are printed as they come.
"""

import importlib
import inspect
import json
import pkgutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import gin
from PIL import Image

import alfa_md
from alfa_md.errors import UserError
from alfa_md.experiment import config
from tests.entries.harness import environment, write_root
from tests.fuzz.forking import Ended, in_child, train_twice
from tests.shared import ROOT

VALUES = (
    "0", "1", "-1", "3", "0.0", "0.5", "-0.5", "1e18", "1e400", "-1e400", "10**18", "-10**18", "10**400",
    "None", "True", "''", "'x'", "()", "[]", "(1, 2)", "('x', None)", "{}", "{'a': 1}",
    "@sgd", "@sgd()", "@turbo", "@turbo()", "@PrototypeHead()", "@GradientLearner", "@flat", "@Sampling()",
)  # fmt: skip
LARGE = {"10**18": str(10**18), "-10**18": str(-(10**18)), "10**400": str(10**400)}
TINY = (
    *("IMAGE_SIZE = 16", "PRETRAINED = None", "cache = None", "Sampling.max_ways_upper_bound = 5"),
    *("train/Sampling.max_ways_upper_bound = 5", "Sampling.max_support_set_size = 20", "NUM_CLASSES = 12"),
    *("train/Sampling.max_support_set_size = 20", "Experiment.train_sources = ('omniglot', 'ilsvrc_2012')"),
    *("Experiment.validation_sources = ('omniglot',)", "GradientLearner.num_steps = 1", "batches.batch_size = 4"),
)
SMALL_NET = ("BACKBONE = @FourLayerConvNet()", "FourLayerConvNet.num_filters = 4", "NUM_FEATURES = 4")
FOLDERS = (
    *("DATA = 'own'", "SHOT = 1", "WAY = 3", "FixedWay.queries = 2"),
    *("images.transform = @Transform()", "Transform.size = 28"),
)
TRAINING = ("train.num_updates = 2", "train.num_validation_episodes = 2", "train.checkpoint_every = 2")
IMPORTS = ("backbones.four_layer_convnet", "data.sampling", "data.images.transform", "data.tfrecord.batches")


class Site(NamedTuple):
    """A parameter that a gin file reaches: `name` is as in a binding; `annotation` its type as text."""

    file: str
    name: str
    annotation: str


def files() -> list[str]:
    """All gin files that are trained from, relative to the repository."""
    found = [
        *set(ROOT.glob("gin/*.gin")) - {ROOT / "gin" / "quickstart.gin"},
        *ROOT.glob("gin/few_shot/*.gin"),
        *ROOT.glob("gin/paper/*.gin"),
    ]
    return sorted(file.relative_to(ROOT).as_posix() for file in found)


def flags(file: str, *bindings: str) -> list[str]:
    """The flags of `alfa_md.train` that make a run of this file small, then `bindings`."""
    text = configuration_text(file)
    lines = [line for line in TRAINING if line]
    if "@images_root" in text:
        lines += [*FOLDERS, "GradientLearner.num_steps = 1", "train.episodes_per_step = 1"]
        lines += ["Transform.size = 8"] if "@ResNet12" in text else []
        lines += ["Conv4.num_filters = 4", "NUM_FEATURES = 4"] if "@Conv4" in text else []
    elif "@no_root" not in text:
        lines += [line for line in TINY if line.split(" ")[0].split(".")[0].split("/")[-1] + "." in text
                  or line.split(" ")[0] in text]  # fmt: skip
        lines += SMALL_NET
    imports = [f"import alfa_md.{name}" for name in IMPORTS]
    return [f"--gin_config={file}", *(f"--gin_bindings={line}" for line in (*imports, *lines, *bindings))]


def configuration_text(file: str) -> str:
    """The text of a gin file and of all that it includes."""
    text = (ROOT / file).read_text()
    included = [line.split("'")[1] for line in text.splitlines() if line.startswith("include")]
    return text + "".join(map(configuration_text, included))


def sites(file: str, folder: Path) -> list[Site]:
    """The parameters of everything that a short training from `file` calls."""

    def list_them():
        from alfa_md.training import loop

        original = loop.config.operative

        found: list[Site] = []

        def called() -> list[Site]:
            for scope, selector in gin.config._OPERATIVE_CONFIG:
                if selector.startswith("gin."):
                    continue
                target = gin.get_configurable(selector)
                prefix = f"{scope}/" if scope else ""
                for name, parameter in inspect.signature(target).parameters.items():
                    if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                        yield Site(file, f"{prefix}{selector.split('.')[-1]}.{name}", str(parameter.annotation))

        def kept():
            found[:] = called()
            (folder / "sites").write_bytes(json.dumps(found).encode())
            return original()

        with mock.patch.object(loop.config, "operative", kept):
            return train_twice(*arguments(file, folder), cwd=folder)

    (folder / "sites").unlink(missing_ok=True)
    ended = in_child(list_them, folder / "log")
    if ended.kind != "ran":
        raise AssertionError(f"{file}: {ended}")
    return list(dict.fromkeys(Site(*each) for each in json.loads((folder / "sites").read_bytes())))


def arguments(file: str, folder: Path, *bindings: str) -> list[str]:
    root = "images" if "@images_root" in configuration_text(file) else "records"
    where = [] if "@no_root" in configuration_text(file) else [f"--records_root_dir={folder / root}"]
    return [*flags(file, *bindings), *where, f"--run_dir={tempfile.mkdtemp(dir=folder)}/run"]


def attempt(site: Site, value: str, folder: Path) -> Ended:
    """The outcome of a short training with this value."""
    binding = f"{site.name} = {LARGE.get(value, value)}"
    words = [word.split("=", 1)[1] for word in flags(site.file, binding)]
    try:
        config.parse(words[:1], words[1:])  # most are refused here, as by the command
    except UserError as error:
        return Ended("refused" if str(error).isprintable() else "other", f"error: {error}", 0.0)
    finally:
        gin.clear_config()
    return in_child(lambda: train_twice(*arguments(site.file, folder, binding), cwd=folder), folder / "log")


def write_data(folder: Path) -> None:
    """Records, and a folder of images, to train on."""
    write_root(folder / "records")
    for split in ("train", "valid", "test"):
        for k in range(6):
            place = folder / "images" / "own" / split / f"c{k}"
            place.mkdir(parents=True)
            for image in range(4):
                Image.new("RGB", (28, 28), (40 * k, 50 * image, 9)).save(place / f"{image}.png")


def preload() -> None:
    """Imports, once for all children, what trainings import."""
    for module in pkgutil.walk_packages(alfa_md.__path__, "alfa_md."):
        if "__main__" not in module.name and module.name.count(".") > 1:
            importlib.import_module(module.name)
    for name in ("torch._dynamo", "torch.optim.adam", "torch.utils.tensorboard"):
        importlib.import_module(name)


def unique_sites(chosen: Sequence[str], folder: Path) -> Iterator[Site]:
    """The parameters of the files, each once."""
    seen = set()
    for file in chosen:
        for site in sites(file, folder):
            if site.name not in seen:
                seen.add(site.name)
                yield site


def main(chosen: Sequence[str]) -> None:
    counts = Counter()
    preload()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder)
        (folder / "cache").mkdir()
        with environment(folder / "cache"):
            everything = list(unique_sites(chosen or files(), folder))
            print(len(everything), "sites", flush=True)
            for site in everything:
                for value in VALUES:
                    ended = attempt(site, value, folder)
                    counts[ended.kind] += 1
                    if ended.kind != "refused":
                        last = ended.text.strip().splitlines()[-1:]
                        print(
                            f"{ended.kind:9} {ended.seconds:5.1f} {site.name} = {value}  {str(last)[:150]}", flush=True
                        )
    print(dict(counts), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
