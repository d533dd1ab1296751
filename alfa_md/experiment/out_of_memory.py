"""Too little memory for an episode, told in one line with what needs less."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alfa_md.episode import Episode
from alfa_md.errors import UserError
from alfa_md.learners.base import Learner
from alfa_md.learners.gradient import GradientLearner

# What a device's or the host's allocator says where it raises no MemoryError.
SIGNS = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
# Bindings that need less memory and change no number by more than rounding: a run goes on under other ones.
SAVING = {"support_moments.query_portion": "10", "GradientLearner.memory": "@low"}
COARSER = "GradientLearner.precision = @bfloat16"


@contextmanager
def explain_out_of_memory(learner: Learner, episodes: Sequence[Episode], when: str = "") -> Iterator[None]:
    """Raises UserError, naming these episodes, where memory runs out while they go through the learner."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not (isinstance(error, MemoryError) or any(sign in str(error) for sign in SIGNS)):
            raise
        names, cure = ", ".join(episode.name for episode in episodes), "; or ".join(remedies(learner, len(episodes)))
        raise UserError(f"out of memory {when}on {names}; checkpoints stay as they were; set {cure}") from error


def remedies(learner: Learner, at_once: int) -> Iterator[str]:
    """What needs less memory; first what changes no number."""
    if at_once > 1:
        yield "fewer train.episodes_per_step or GradientLearner.batching = None"
    if any(isinstance(part, GradientLearner) for part in learner.modules()):
        exact = " or, in second order, ".join(f"{name} = {value}" for name, value in SAVING.items())
        yield f"{exact} and go on with the same numbers"
        yield COARSER
    yield "a smaller image size, fewer ways or shots"
