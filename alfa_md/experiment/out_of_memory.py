"""Out-of-memory errors reported in one line, with the bindings that reduce memory use."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.experiment.memory_bindings import SAVING
from alfa_md.learners.base import Learner
from alfa_md.learners.gradient import GradientLearner

# Parts of the RuntimeError messages of device and host allocators.
OUT_OF_MEMORY_MESSAGES = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
TOO_LARGE_MESSAGES = ("Storage size calculation overflowed", "size overflow")
LOWER_PRECISION = "GradientLearner.precision = @bfloat16"


@contextmanager
def explain_out_of_memory(learner: Learner, episodes: Sequence[Episode], when: str = "") -> Iterator[None]:
    """Turns an out-of-memory error of the block into a UserError that names the episodes and the remedies."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        names, cure = ", ".join(episode.name for episode in episodes), "; or ".join(remedies(learner, len(episodes)))
        raise UserError(f"out of memory {when}on {names}; checkpoints stay as they were; set {cure}") from error


@contextmanager
def explain_too_large() -> Iterator[None]:
    """Turns an out-of-memory error while the learner is built into a UserError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        raise UserError("out of memory in building the learner; bind smaller layers, images, way or steps") from error


def _is_out_of_memory(error: Exception) -> bool:
    signs = OUT_OF_MEMORY_MESSAGES + TOO_LARGE_MESSAGES
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in signs)


def remedies(learner: Learner, at_once: int) -> Iterator[str]:
    """Yields bindings that reduce memory use; first those that do not change results."""
    if at_once > 1:
        yield "fewer train.episodes_per_step or GradientLearner.batching = None"
    if any(isinstance(part, GradientLearner) for part in learner.modules()):
        exact = " or, in second order, ".join(f"{name} = {value}" for name, value in SAVING.items())
        yield f"{exact} and go on with the same numbers"
        yield LOWER_PRECISION
    yield "a smaller image size, fewer ways or shots"
