"""Cases run by the build that is found first on the path: for `benchmarks.against`.

Reads requests as JSON lines from standard input and answers each in a line. A request with a plan makes the parts of a
case, any other measures a turn of it. Uses only what builds since commit 78b7539 have under the same name, or under two
known ones; what else is missing is told in the answer.
"""

import inspect
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

sys.path[0] = os.environ["PYTHONPATH"]  # instead of this file's folder, whose modules would hide others

import torch  # noqa: E402
from torch.nn.utils import get_total_norm  # noqa: E402

import alfa_md  # noqa: E402

TURN = 0.3  # minimum seconds of a turn
SETTLE = 0.05  # seconds for the threads of a reader to finish


class Run(NamedTuple):
    """A prepared case: `call` runs it once and returns the tasks or images done, `numbers` are those of its result."""

    call: Callable[[], int]
    numbers: Callable[[], dict[str, float]]


def found_in(name: str, *modules: str) -> object:
    """`name` in the first of these modules that exists. Raises ImportError or AttributeError."""
    for module in modules[:-1]:
        try:
            return getattr(import_module(module), name)
        except ImportError:
            continue
    return getattr(import_module(modules[-1]), name)


def learning(plan: dict, device: torch.device) -> Run:
    """One task of ALFA on noise: the outer gradient, or an evaluation."""
    from alfa_md.heads import LearnedHead, PrototypeHead
    from alfa_md.learners.gradient import GradientLearner
    from alfa_md.normalization import batch_statistics, support_moments
    from alfa_md.rules.alfa import alfa

    torch.manual_seed(0)
    prototypes = plan["prototypes"]
    head = PrototypeHead() if prototypes else LearnedHead(plan["features"], len(plan["shots"]))
    options = {"first_order": plan["first_order"], "normalization": support_moments if prototypes else batch_statistics}
    if "adapt_batch_norm" in inspect.signature(GradientLearner).parameters:
        options["adapt_batch_norm"] = prototypes
    else:
        adapts = import_module("alfa_md.learners.adapts")
        options["adapts"] = adapts.everything if prototypes else adapts.all_but_batch_norm
    parts = (found_in(*plan["backbone"])(), head, partial(alfa, inner_rate=0.01), plan["steps"])
    learner = GradientLearner(*parts, **options).to(device, memory_format=torch.channels_last)
    learner.train(plan["trains"])
    episode = noise(plan, device)
    found: dict[str, torch.Tensor] = {}

    def gradient() -> int:
        learner.zero_grad()
        if hasattr(learner, "losses"):
            loss = learner.losses([episode])[0].loss
        else:
            loss = learner.objective.loss(learner(episode), episode.query_y)
        loss.backward()
        found["loss"] = loss.detach()
        return 1

    @torch.no_grad()
    def evaluation() -> int:
        found["loss"] = learner.objective.loss(learner(episode), episode.query_y)
        return 1

    def numbers() -> dict[str, float]:
        grads = [parameter.grad for parameter in learner.parameters() if parameter.grad is not None]
        return {"loss": found["loss"].item()} | ({"gradient": get_total_norm(grads).item()} if grads else {})

    return Run(gradient if plan["trains"] else evaluation, numbers)


def noise(plan: dict, device: torch.device) -> object:
    """An episode of uniform noise in [-1, 1]."""
    from alfa_md.episode import Episode

    generator, way, pixels = torch.Generator().manual_seed(0), len(plan["shots"]), plan["pixels"]
    labels = [torch.arange(way).repeat_interleave(torch.tensor(plan[part])) for part in ("shots", "queries")]
    x = [2 * torch.rand(len(y), 3, pixels, pixels, generator=generator) - 1 for y in labels]
    x = [images.to(device, memory_format=torch.channels_last) for images in x]
    return Episode(x[0], labels[0].to(device), x[1], labels[1].to(device), way, "noise", "train", 0, 0)


def reading(plan: dict, device: torch.device) -> Run:
    """Episodes of a source by a reader, which the checkout's own benchmark names."""
    from alfa_md.data.spec import load_spec
    from benchmarks.readers import READERS

    if plan["reader"] not in READERS:
        raise AttributeError(f"its benchmarks/readers.py has no reader named '{plan['reader']}'")
    read = READERS[plan["reader"]](load_spec(Path(plan["records"])))
    means: list[float] = []

    def episode() -> int:
        images = read()
        if not means:
            means.append(images.mean().item())
        return len(images)

    return Run(episode, lambda: {"mean of the first episode": means[0]})


KINDS = {"learning": learning, "reading": reading}


def turn(run: Run, device: torch.device) -> float:
    """Seconds for one task or image: of CPU time, or of wall time until a GPU has done all its work."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    done, start, wall = 0, clock(), time.perf_counter()
    while not done or time.perf_counter() - wall < TURN:
        done += run.call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    else:
        time.sleep(SETTLE)
    return (clock() - start) / done


def answers(requests: Iterator[str], device: torch.device) -> Iterator[dict]:
    """The path of the package, then the answer to every request."""
    yield {"package": alfa_md.__file__}
    runs: dict[str, Run] = {}
    for line in requests:
        request = json.loads(line)
        case, plan = request["case"], request.get("plan")
        if not plan:
            yield {"seconds": turn(runs[case], device), "numbers": runs[case].numbers()}
            continue
        try:
            runs[case] = KINDS[plan["kind"]](plan, device)
            yield {}
        except (ImportError, AttributeError, TypeError) as error:  # names or arguments that this build does not have
            yield {"lacks": f"{error}"}


def main() -> None:
    answered, sys.stdout = sys.stdout, sys.stderr  # libraries may print
    device = torch.device(sys.argv[1])
    torch.set_num_threads(1)
    if device.type == "cpu" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found_in("keep_freed_pages", "alfa_md.system.allocator", "alfa_md.allocator")()
    for answer in answers(iter(sys.stdin.readline, ""), device):
        print(json.dumps(answer), file=answered, flush=True)


if __name__ == "__main__":
    main()
