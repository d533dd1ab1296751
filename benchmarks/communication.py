"""Messages of an update in data-parallel training, counted in the update itself: every all-reduce and its bytes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gin
import torch
import torch.distributed as dist
from torch.utils._python_dispatch import TorchDispatchMode

from alfa_md.episode import Episode
from alfa_md.experiment import config
from alfa_md.experiment.checkpoint import TrainState
from alfa_md.experiment.definition import Experiment
from alfa_md.learners.base import Learner, Outcome
from alfa_md.system.distributed import ProcessGroup, TorchrunGroup
from alfa_md.training.step import outer_step, trainable_parameters

GIN = config.ROOT / "gin"
EPISODE = Episode(
    *(torch.zeros(1, dtype=dtype) for dtype in (torch.float32, torch.int64) * 2), 2, "none", "train", 0, 0
)


class Messages(TorchDispatchMode):
    """Records the bytes of every all-reduce inside."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes: list[int] = []

    def __torch_dispatch__(self, function: Callable, types: object, args: tuple = (), kwargs: dict | None = None):
        if function is torch.ops.c10d.allreduce_.default:
            self.bytes.append(sum(tensor.nbytes for tensor in args[0]))
        return function(*args, **(kwargs or {}))


@contextmanager
def one_process() -> Iterator[ProcessGroup]:
    """A process group of this process alone, whose messages are those of any other number of processes."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        yield TorchrunGroup()
    finally:
        dist.destroy_process_group()


def update_messages(learner: Learner, group: ProcessGroup) -> list[int]:
    """Bytes of every all-reduce from one update to the next; the outer loss is replaced by a cheap one."""
    parameters = trainable_parameters(learner)
    learner.losses = lambda episodes: [Outcome(1e-9 * sum(p.sum() for p in parameters), torch.zeros(1, 2))]
    optimizer = torch.optim.SGD(parameters, lr=0.0)
    state = TrainState(learner, optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 1))
    with Messages() as messages:
        outer_step(state, [EPISODE], 10.0, group)
        group.any(False)  # whether a process is to stop, asked between two updates
    return messages.bytes


def shipped() -> list[tuple[str, ...]]:
    """The gin files of every learner, and of the rows of the paper's first table for MAML."""
    files = [path.relative_to(GIN.parent).as_posix() for path in sorted(GIN.glob("*.gin"))]
    files += [path.relative_to(GIN.parent).as_posix() for path in sorted((GIN / "paper").glob("table1_*_maml.gin"))]
    small = "gin/quickstart.gin"
    return [(file,) for file in files if file != small] + [("gin/proto_maml_alfa.gin", small)]


def communication_table(group: ProcessGroup) -> str:
    """Messages of an update for every shipped learner."""
    lines = ["## What an update communicates, counted\n"]
    lines += [
        "| gin file | backbone | values in gradients | all-reduces | of gradients, bytes | of all others, bytes |"
    ]
    lines += ["|---" * 6 + "|"]
    for files in shipped():
        config.parse(files)
        learner = Experiment().learner
        found = update_messages(learner, group)
        values = sum(parameter.numel() for parameter in trainable_parameters(learner))
        names = " + ".join(f"`{Path(file).stem}`" for file in files)
        cells = (names, type(learner.backbone).__name__, values, len(found), max(found), sum(found) - max(found))
        lines.append(f"| {' | '.join(map(str, cells))} |")
    gin.clear_config()
    return "\n".join(lines) + "\n"
