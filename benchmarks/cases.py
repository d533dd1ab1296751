"""Benchmark cases: learners on an episode of noise, in a plain form and in optimised forms."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import NamedTuple

import torch
from torch import nn

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.conv_block import PlainBlock
from alfa_md.backbones.four_layer_convnet import FourLayerConvNet
from alfa_md.backbones.resnet12 import ResNet12
from alfa_md.backbones.resnet18 import ResNet18
from alfa_md.episode import Episode
from alfa_md.heads import LearnedHead, PrototypeHead
from alfa_md.inner_loop.recomputation import recompute_all, recompute_alternate
from alfa_md.kernels.dispatch import plain_operations
from alfa_md.kernels.precision import bfloat16
from alfa_md.learners.adapts import all_but_batch_norm, everything
from alfa_md.learners.batching.captured import captured
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.learners.gradient import GradientLearner
from alfa_md.normalization import batch_statistics, support_moments
from alfa_md.rules.alfa import alfa

Layout = torch.memory_format
DEVICES = ("cpu", "cuda")
MODES = ("second order", "first order", "evaluation")


class Form(NamedTuple):
    """One implementation of the same computation: memory format, options of the learner, and context of the run."""

    layout: Layout = torch.channels_last
    plain: bool = False
    options: dict[str, object] = {}
    context: Callable[[], AbstractContextManager] = nullcontext
    change: Callable[[nn.Module], object] = lambda backbone: None
    tasks: int = 1  # at a time
    devices: tuple[str, ...] = DEVICES
    modes: tuple[str, ...] = MODES


FAST, COARSE, COMPILED = "this package", "this package, bfloat16", "plain, channels last, compiled"
STACKED, CAPTURED = "this package, four tasks stacked", "this package, a CUDA graph"
TWO_CAPTURED, FOUR_CAPTURED = f"{CAPTURED} of two tasks", f"{CAPTURED} of four tasks"
STACK_CAPTURED = f"{CAPTURED} of four stacked tasks"
COARSE_CAPTURED = f"{CAPTURED}, bfloat16"
PLAIN = Form(layout=torch.contiguous_format, plain=True, context=plain_operations)
TOGETHER, KEPT, LOW = (
    "plain, one backward pass over both tasks",
    "this package, recompute = @keep_all",
    "this package, recompute = @recompute_all",
)
MEMORY = {
    TOGETHER: PLAIN,
    "plain, a backward pass a task": PLAIN,
    KEPT: Form(),
    "this package, recompute = @recompute_alternate": Form(options={"recompute": recompute_alternate}),
    LOW: Form(options={"recompute": recompute_all}),
}
GRAPH = Form(options={"batching": captured}, devices=("cuda",))
FURTHER = {
    COARSE: Form(options={"precision": bfloat16}),  # different numbers
    STACKED: Form(options={"batching": vmapped}, tasks=4, devices=("cuda",)),
    CAPTURED: GRAPH,
    TWO_CAPTURED: GRAPH._replace(tasks=2),
    FOUR_CAPTURED: GRAPH._replace(tasks=4),
    STACK_CAPTURED: GRAPH._replace(options={"batching": partial(captured, batching=vmapped)}, tasks=4),
    COARSE_CAPTURED: GRAPH._replace(options={"batching": captured, "precision": bfloat16}),
    # compiled code does not support double backward
    COMPILED: Form(plain=True, change=nn.Module.compile, devices=("cpu",), modes=MODES[1:]),
}


class Case(NamedTuple):
    """An episode and a learner with ALFA; `modes` are the timed ones."""

    backbone: Callable[..., nn.Module]
    features: int
    pixels: int
    shots: int | tuple[int, ...]  # of every class, or of one after the other
    queries: int  # per class
    steps: int
    way: int = 5
    plain: dict[str, object] = {}  # arguments of the plain backbone
    prototypes: bool = False  # fo-Proto-MAML as in Meta-Dataset, else MAML as in the few-shot benchmarks
    modes: tuple[str, ...] = MODES
    devices: tuple[str, ...] = DEVICES
    further: tuple[str, ...] = ()  # forms timed in addition to plain and fast
    memory: tuple[str, ...] = ()  # forms with measured memory

    def learner(self, first_order: bool, plain: bool, **options: object) -> GradientLearner:
        torch.manual_seed(0)
        options |= {"normalization": support_moments if self.prototypes else batch_statistics}
        head = PrototypeHead() if self.prototypes else LearnedHead(self.features, self.way)
        backbone = self.backbone(**self.plain if plain else {})
        parts = (backbone, head, partial(alfa, inner_rate=0.01), self.steps)
        adapts = everything if self.prototypes else all_but_batch_norm
        return GradientLearner(*parts, first_order=first_order, adapts=adapts, **options)

    def episode(self, seed: int = 0) -> Episode:
        generator = torch.Generator().manual_seed(seed)
        numbers = (torch.tensor(self.shots), torch.tensor(self.queries))
        labels = [torch.arange(self.way).repeat_interleave(number) for number in numbers]
        x = [2 * torch.rand(len(y), 3, self.pixels, self.pixels, generator=generator) - 1 for y in labels]
        return Episode(x[0], labels[0], x[1], labels[1], self.way, "noise", "train", seed, 0)


CONV4 = Case(Conv4, 1200, 84, shots=5, queries=15, steps=5, plain={"block": PlainBlock})._replace(
    further=(STACKED, CAPTURED, TWO_CAPTURED, FOUR_CAPTURED, STACK_CAPTURED, COARSE_CAPTURED)
)
RESNET12 = Case(ResNet12, 512, 84, shots=1, queries=5, steps=3, further=(CAPTURED, COARSE_CAPTURED))
RESNET18 = Case(ResNet18, 512, 126, shots=5, queries=5, steps=3, prototypes=True, modes=MODES[1:])._replace(
    further=(COARSE, CAPTURED, COARSE_CAPTURED)
)
VARIABLE = Case(FourLayerConvNet, 256, 42, shots=1, queries=10, steps=3, plain={"block": PlainBlock}, prototypes=True)
CASES = {
    "4-CONV, 84 px, 5-way 5-shot, 5 steps": CONV4._replace(further=(COMPILED, *CONV4.further), memory=(*MEMORY,)),
    "4-CONV, 84 px, 5-way 1-shot, 5 steps": CONV4._replace(shots=1),
    "ResNet12, 84 px, 5-way 1-shot, 5 queries a class, 3 steps": RESNET12._replace(memory=(*MEMORY,)),
    "ResNet12, 84 px, 5-way 5-shot, 5 steps": RESNET12._replace(shots=5, queries=15, steps=5, modes=(), memory=(LOW,)),
    "ResNet-18, 126 px, 5-way 5-shot, 5 queries a class, 3 steps, prototypes": RESNET18,
    "ResNet-18, 126 px, 35-way 10-shot, 5 queries a class, 6 steps, prototypes": RESNET18._replace(
        way=35, shots=10, steps=6, devices=("cuda",)
    ),
    "four layers, 42 px, 8-way, 70 support and 80 query images, 3 steps, prototypes": VARIABLE._replace(
        way=8, shots=(5, 6, 7, 8, 9, 10, 12, 13), modes=("first order",)
    ),
    "four layers, 42 px, 20-way, 300 support and 200 query images, 3 steps, prototypes": VARIABLE._replace(
        way=20, shots=(*range(5, 15), *range(16, 26)), modes=("evaluation",)
    ),
}


class Work(NamedTuple):
    """The gradients or the evaluation of some tasks in one form; a call runs it once."""

    learner: GradientLearner
    episodes: list[Episode]
    form: Form
    trains: bool

    def __call__(self) -> None:
        with self.form.context(), torch.set_grad_enabled(self.trains):
            self.learner.train(self.trains)
            for together in [self.episodes] if self.learner.vectorized else [[episode] for episode in self.episodes]:
                scores = zip(self.learner.forward_episodes(together), together, strict=True)
                loss = torch.stack([self.learner.objective.loss(score, e.query_y) for score, e in scores]).sum()
                if self.trains:
                    loss.backward()
            self.learner.zero_grad()


def work(case: Case, mode: str, form: Form, device: torch.device, tasks: int | None = None) -> Work:
    """The work of `case` in `mode` on `device`, for `tasks` tasks, by default the form's number."""
    learner = case.learner(mode != "second order", form.plain, **form.options).to(device, memory_format=form.layout)
    form.change(learner.backbone)

    def placed(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(device, memory_format=form.layout if tensor.dim() == 4 else torch.preserve_format)

    episodes = [case.episode(seed).map(placed) for seed in range(tasks or form.tasks)]
    return Work(learner, episodes, form, trains=mode != "evaluation")
